// A site's recent days as seen from today: the record ends with the last job, which may be a while ago.
import type { RecentDays } from "#shared/contracts/sites.ts";

export type Outcome = "s" | "f" | "m" | "-";

export interface DayOutcome {
  readonly date: string;
  readonly outcome: Outcome;
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
