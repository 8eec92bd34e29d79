// Whether a site is protected: the one rule that the fleet's counts, the dashboard's rows and alerts go by.
import type { Schedule, Site } from "./contracts/sites.ts";
import { nextRuns, parseExpression } from "./schedule-expression.ts";

/** The worst first; every site is in exactly one of them. */
export const SITE_HEALTHS = ["failing", "overdue", "unprotected", "protected", "paused"] as const;
export type SiteHealth = (typeof SITE_HEALTHS)[number];

/** What the rule looks at. */
export type HealthFacts = Pick<Site, "state" | "created_at" | "schedule" | "last_backup_at" | "last_job">;

/** A backup may take this long, and its node may be busy with another one, before anybody has to look. */
const GRACE_MS = 6 * 3_600_000;
const DAY_MS = 86_400_000;
/** How far back the due time is looked for, nearest first: an hourly schedule needs a day, a yearly one a year. */
const LOOK_BACK_DAYS = [2, 9, 33, 370];
/** Every minute for two days: the densest schedule there can be. */
const MAX_RUNS = 2 * 24 * 60;

export type HealthRule = (site: HealthFacts, now: Date) => SiteHealth;

/** A rule that remembers due times per schedule: a fleet has few different ones. For one moment or page, not for ever. */
export function openHealthRule(): HealthRule {
  const known = new Map<string, string | undefined>();
  const lastDue = (schedule: Schedule, createdAt: string, now: Date): string | undefined => {
    const isRate = schedule.expression.startsWith("rate");
    const minute = Math.floor(now.getTime() / 60_000);
    const key = [
      schedule.expression,
      schedule.time_zone,
      schedule.flexible_minutes,
      minute,
      isRate && createdAt,
    ].join();
    if (!known.has(key)) known.set(key, findLastDue(schedule, createdAt, now)?.toISOString());
    return known.get(key);
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

/** The latest time that the schedule called for a backup which should be there by now. */
function findLastDue(schedule: Schedule, createdAt: string, now: Date): Date | undefined {
  const end = new Date(now.getTime() - GRACE_MS - schedule.flexible_minutes * 60_000);
  const timing = {
    expression: parseExpression(schedule.expression),
    timeZone: schedule.time_zone,
    anchor: new Date(createdAt),
    end,
  };
  for (const days of LOOK_BACK_DAYS) {
    const from = new Date(end.getTime() - days * DAY_MS);
    // A one-time schedule ignores the end.
    const due = nextRuns(timing, from, MAX_RUNS).findLast((run) => run <= end);
    if (due !== undefined) return due;
  }
  return undefined;
}
