// Why a retention keeps a backup or lets it go, as people say it. The API's reasons are short and stable, for machines, too.

const RULES: Readonly<Record<string, (bucket: string) => string>> = {
  last: () => "one of the newest",
  min_keep: () => "never fewer than that",
  daily: (day) => `the last of ${day}`,
  weekly: (week) => `the last of ${week.replace(/^(\d+)-W0?(\d+)$/, "week $2 of $1")}`,
  monthly: (month) => `the last of ${monthInWords(month)}`,
  yearly: (year) => `the last of ${year}`,
};

export function reasonInWords(reason: string): string {
  const [rule = "", bucket = ""] = reason.split(" ");
  const say = /^(last|min_keep|(daily|weekly|monthly|yearly) [\dW-]+)$/.test(reason)
    ? RULES[rule]
    : undefined;
  if (say !== undefined) return say(bucket);
  return reason.startsWith("no rule keeps it") ? "no rule keeps it" : reason;
}

function monthInWords(month: string): string {
  const at = new Date(`${month}-15T00:00:00Z`);
  return at.toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });
}
