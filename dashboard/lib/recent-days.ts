// A site's recent days as seen from today: the record ends with the last job, which may be a while ago; and a day without
// a job is a fault only where one was due.
import type { RecentDays, Site } from "#shared/contracts/sites.ts";
import { runsOf } from "./next-run.ts";

export type Outcome = "s" | "f" | "m" | "-";
/** `!`: nothing came although something was due. */
export type Shown = Outcome | "!";

export interface DayOutcome<T = Outcome> {
  readonly date: string;
  readonly outcome: T;
}

const DAYS = 30;
const DAY_MS = 86_400_000;

/** Thirty days, the last one is `today` (ISO date, UTC). */
export function dayOutcomes(days: RecentDays | null, today: string): DayOutcome[] {
  const todayMs = Date.parse(today);
  const shift = days === null ? 0 : Math.round((todayMs - Date.parse(days.until)) / DAY_MS);
  return Array.from({ length: DAYS }, (_, at) => ({
    date: new Date(todayMs - (DAYS - 1 - at) * DAY_MS).toISOString().slice(0, 10),
    outcome: (days?.outcomes[at + shift] ?? "-") as Outcome,
  }));
}

type Planned = Pick<Site, "recent_days" | "schedule" | "state" | "created_at">;

/** By the schedule of today, the only one that is known; today itself may still come. */
export function shownDays(site: Planned, today: string): DayOutcome<Shown>[] {
  return dayOutcomes(site.recent_days, today).map((day) =>
    day.outcome === "-" && day.date < today && wasDue(site, day.date) ? { ...day, outcome: "!" } : day,
  );
}

function wasDue({ schedule, state, created_at: createdAt }: Planned, date: string): boolean {
  if (state === "paused" || schedule?.enabled !== true || date <= createdAt.slice(0, 10)) return false;
  const startMs = Date.parse(date);
  const [run] = runsOf(schedule, createdAt, new Date(startMs - 1), 1);
  return run !== undefined && run.getTime() < startMs + DAY_MS;
}
