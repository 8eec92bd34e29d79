// The day, ISO week, month and year of an instant, in UTC, as names that sort and that people read.

export type Period = "daily" | "weekly" | "monthly" | "yearly";

/** `at` is ISO 8601 in UTC: 2026-11-22 · 2026-W47 · 2026-11 · 2026. */
export function bucketOf(period: Period, at: string): string {
  switch (period) {
    case "daily":
      return at.slice(0, 10);
    case "weekly":
      return isoWeek(new Date(at));
    case "monthly":
      return at.slice(0, 7);
    case "yearly":
      return at.slice(0, 4);
  }
}

const DAY_MS = 86_400_000;

/** ISO 8601: a week belongs to the year of its Thursday, and the first week is the one with 4 January. */
function isoWeek(date: Date): string {
  const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  const daysAfterMonday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(day + (3 - daysAfterMonday) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}
