// Schedules in plain words and back: what most people want has a form of its own, everything else stays an expression.

export const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export const WEEKDAY_NAMES: Readonly<Record<Weekday, string>> = {
  SUN: "Sunday",
  MON: "Monday",
  TUE: "Tuesday",
  WED: "Wednesday",
  THU: "Thursday",
  FRI: "Friday",
  SAT: "Saturday",
};

export type PlainSchedule =
  | { readonly kind: "hourly"; readonly minute: number }
  | { readonly kind: "daily"; readonly time: string }
  | { readonly kind: "weekly"; readonly time: string; readonly days: readonly Weekday[] }
  | { readonly kind: "monthly"; readonly time: string; readonly day: number | "L" }
  | { readonly kind: "custom"; readonly expression: string };

export const TIME = /([01]?\d|2[0-3]):[0-5]\d/;

/** 24-hour HH:MM of what somebody types; undefined until it is one. */
export function parseTime(text: string): string | undefined {
  const time = text.trim();
  return new RegExp(`^${TIME.source}$`).test(time) ? time.padStart(5, "0") : undefined;
}

/** `time` is 24-hour HH:MM. */
export function toExpression(plain: PlainSchedule): string {
  switch (plain.kind) {
    case "hourly":
      return `cron(${plain.minute} * * * ? *)`;
    case "daily":
      return `cron(${fieldsOf(plain.time)} * * ? *)`;
    case "weekly":
      return `cron(${fieldsOf(plain.time)} ? * ${plain.days.join(",")} *)`;
    case "monthly":
      return `cron(${fieldsOf(plain.time)} ${plain.day} * ? *)`;
    case "custom":
      return plain.expression;
  }
}

export function fromExpression(expression: string): PlainSchedule {
  const custom = { kind: "custom", expression } as const;
  const fields = /^cron\((.*)\)$/.exec(expression)?.[1]?.trim().split(/\s+/) ?? [];
  const [minute = "", hour = "", day = "", month, weekday = "", year] = fields;
  if (fields.length !== 6 || month !== "*" || year !== "*" || !isNumber(minute, 59)) return custom;
  if (hour === "*")
    return day === "*" && weekday === "?" ? { kind: "hourly", minute: Number(minute) } : custom;
  if (!isNumber(hour, 23)) return custom;
  const time = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  if (weekday === "?") {
    if (day === "*") return { kind: "daily", time };
    if (day === "L") return { kind: "monthly", time, day };
    return isNumber(day, 31) && Number(day) > 0 ? { kind: "monthly", time, day: Number(day) } : custom;
  }
  const days = weekday.split(",").map((name) => WEEKDAYS.find((one) => one === name.toUpperCase()));
  return day === "?" && days.every((one) => one !== undefined) ? { kind: "weekly", time, days } : custom;
}

/** "Every day at 03:00", for rows and headings. */
export function inWords(expression: string): string {
  const plain = fromExpression(expression);
  switch (plain.kind) {
    case "hourly":
      return plain.minute === 0 ? "Every hour" : `Every hour at ${plain.minute} past`;
    case "daily":
      return `Every day at ${plain.time}`;
    case "weekly":
      return `Every ${plain.days.map((day) => WEEKDAY_NAMES[day]).join(", ")} at ${plain.time}`;
    case "monthly":
      return plain.day === "L"
        ? `On the last day of each month at ${plain.time}`
        : `On day ${plain.day} of each month at ${plain.time}`;
    case "custom":
      return rateInWords(expression) ?? expression;
  }
}

function rateInWords(expression: string): string | undefined {
  const [, value, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (value === undefined || unit === undefined) return undefined;
  return value === "1" ? `Every ${unit}` : `Every ${value} ${unit}s`;
}

function fieldsOf(time: string): string {
  const [hour = "0", minute = "0"] = time.split(":");
  return `${Number(minute)} ${Number(hour)}`;
}

function isNumber(text: string, max: number): boolean {
  return /^\d{1,2}$/.test(text) && Number(text) <= max;
}
