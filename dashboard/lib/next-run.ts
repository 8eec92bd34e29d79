// When a site is backed up next. A fleet has few different schedules, so each is worked out once per minute.
import type { Schedule, Site } from "#shared/contracts/sites.ts";
import { nextRuns, parseExpression } from "#shared/schedule-expression.ts";

export type NextRun = (site: Pick<Site, "state" | "schedule" | "created_at">) => Date | undefined;

export function openNextRuns(now: Date): NextRun {
  const known = new Map<string, Date | undefined>();
  return ({ state, schedule, created_at: createdAt }) => {
    if (state === "paused" || schedule?.enabled !== true) return undefined;
    // A rate counts from its own beginning; the other two follow the calendar.
    const anchor = schedule.expression.startsWith("rate") ? createdAt : "";
    const key = `${schedule.expression} ${schedule.time_zone} ${anchor}`;
    if (!known.has(key)) known.set(key, runsOf(schedule, createdAt, now, 1)[0]);
    return known.get(key);
  };
}

/** The next runs after `now`; throws BackupError if the expression or the zone is not valid. */
export function runsOf(
  { expression, time_zone: timeZone }: Pick<Schedule, "expression" | "time_zone">,
  anchor: string,
  now: Date,
  count: number,
): Date[] {
  return nextRuns(
    { expression: parseExpression(expression), timeZone, anchor: new Date(anchor) },
    now,
    count,
  );
}
