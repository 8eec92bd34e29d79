// Whether a site is protected: the one rule that the fleet's counts, the dashboard's rows and alerts go by.
import type { Schedule, Site } from "./contracts/sites.ts";
import { nextRuns, parseExpression } from "./schedule-expression.ts";

/** The worst first; every site is in exactly one of them. */
export const SITE_HEALTHS = ["failing", "overdue", "unprotected", "protected", "paused"] as const;
export type SiteHealth = (typeof SITE_HEALTHS)[number];

/** What the rule looks at. */
export type HealthFacts = Pick<Site, "state" | "created_at" | "schedule" | "last_backup_at" | "last_job">;

/** A backup may take this long, and its node may be busy with another one, before anybody has to look. */
export const GRACE_MS: number = 6 * 3_600_000;
const DAY_MS = 86_400_000;
/** How far back the due time is looked for, nearest first: an hourly schedule needs a day, a yearly one a year. */
const LOOK_BACK_DAYS = [2, 9, 33, 370];
/** Every minute for two days: the densest schedule there can be. */
const MAX_RUNS = 2 * 24 * 60;

export type HealthRule = (site: HealthFacts, now: Date) => SiteHealth;

interface KnownDue {
  readonly due: string | undefined;
  /** It is the last one for as long as the end of what is looked at lies in here. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * A rule that remembers when each schedule was last due, until it is due again: of a large fleet, thousands of schedules
 * are asked for every quarter of an hour, and working one out takes a millisecond.
 */
export function openHealthRule(): HealthRule {
  const known = new Map<string, KnownDue>();
  const lastDue = (schedule: Schedule, createdAt: string, now: Date): string | undefined => {
    const { expression, time_zone: zone, flexible_minutes: flexible } = schedule;
    const anchor = expression.startsWith("rate") ? createdAt : "";
    const key = `${expression} ${zone} ${flexible} ${anchor}`;
    const endMs = now.getTime() - GRACE_MS - flexible * 60_000;
    let found = known.get(key);
    if (found === undefined || endMs < found.fromMs || endMs >= found.untilMs) {
      found = findLastDue(schedule, createdAt, endMs);
      known.set(key, found);
    }
    return found.due;
  };
  return (site, now) => {
    if (site.state === "paused") return "paused";
    if (hasFailedSince(site)) return "failing";
    if (site.last_backup_at === null) return "unprotected";
    if (site.schedule?.enabled !== true) return "unprotected";
    const due = lastDue(site.schedule, site.created_at, now);
    return due !== undefined && site.last_backup_at < due ? "overdue" : "protected";
  };
}

/** The last job ended without a backup, and none has come since. */
function hasFailedSince({ last_job: job, last_backup_at: backupAt }: HealthFacts): boolean {
  if (job === null) return false;
  const isBad = job.state === "failed" || job.state === "skipped" || job.state === "expired";
  return isBad && (backupAt === null || backupAt < job.ended_at);
}

/** The latest time up to `endMs` that the schedule called for a backup: one that should be there by now. */
function findLastDue(schedule: Schedule, createdAt: string, endMs: number): KnownDue {
  const timing = {
    expression: parseExpression(schedule.expression),
    timeZone: schedule.time_zone,
    anchor: new Date(createdAt),
  };
  const end = new Date(endMs);
  const untilMs = nextRuns(timing, end, 1)[0]?.getTime() ?? Number.POSITIVE_INFINITY;
  for (const days of LOOK_BACK_DAYS) {
    const from = new Date(endMs - days * DAY_MS);
    // A one-time schedule ignores the end.
    const due = nextRuns({ ...timing, end }, from, MAX_RUNS).findLast((run) => run <= end);
    if (due !== undefined) return { due: due.toISOString(), fromMs: due.getTime(), untilMs };
  }
  return { due: undefined, fromMs: endMs, untilMs };
}

/** A proof is worth as much as what has not changed since: a month is what auditors ask for. */
export const PROVED_DAYS = 31;

/** Whether nobody knows that the site's backups restore: none was proved in the last month. */
export function isUnproved(
  site: Pick<Site, "state" | "last_backup_at" | "last_proved_at">,
  now: Date,
): boolean {
  if (site.state === "paused" || site.last_backup_at === null) return false;
  const since = new Date(now.getTime() - PROVED_DAYS * DAY_MS).toISOString();
  return site.last_proved_at === null || site.last_proved_at < since;
}
