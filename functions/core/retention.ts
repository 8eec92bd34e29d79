// Which backups of a site go, and why each other stays. Rules count backups and never look at their age: a site that
// is not backed up any more loses nothing by the passing of time.
import type { Retention } from "#shared/contracts/retention.ts";
import { bucketOf, type Period } from "./calendar-buckets.ts";
import type { BackupRecord } from "./records.ts";

export type KeptBackup = Pick<
  BackupRecord,
  "id" | "created_at" | "size_bytes" | "hold" | "proved_at" | "verification_failed" | "last_read_at"
>;

export interface Judged<B> {
  readonly backup: B;
  readonly reasons: readonly string[];
}

export interface RetentionPlan<B> {
  /** Both newest first. */
  readonly keep: readonly Judged<B>[];
  readonly remove: readonly Judged<B>[];
}

const PERIODS: readonly Period[] = ["daily", "weekly", "monthly", "yearly"];
/** Longer than any job: what began to be read in that time may still be needed. */
const READING_MS = 24 * 3_600_000;

/** `backups` in any order; all of one site. */
export function planRetention<B extends KeptBackup>(
  policy: Retention,
  backups: readonly B[],
  now: Date,
): RetentionPlan<B> {
  const newestFirst = [...backups].sort(newerFirst);
  // A damaged one must not take the place of a good one in any rule.
  const good = newestFirst.filter((backup) => backup.verification_failed === undefined);
  const reasons = new Map<B, string[]>(newestFirst.map((backup) => [backup, protections(backup, now)]));
  const keep = (backup: B | undefined, reason: string): void => {
    if (backup !== undefined) reasons.get(backup)?.push(reason);
  };

  keep(good[0], "the newest good backup");
  keep(
    good.find((backup) => backup.proved_at !== undefined),
    "the newest proved backup",
  );
  for (const backup of good.slice(0, policy.keep_last)) keep(backup, "last");
  for (const period of PERIODS) {
    for (const [bucket, backup] of newestPerBucket(period, good, policy[`keep_${period}`])) {
      keep(backup, `${period} ${bucket}`);
    }
  }
  for (const backup of good.slice(0, policy.min_keep)) {
    if (reasons.get(backup)?.length === 0) keep(backup, "min_keep");
  }
  const judged = newestFirst.map((backup) => ({ backup, reasons: reasons.get(backup) ?? [] }));
  return {
    keep: judged.filter((one) => one.reasons.length > 0),
    remove: judged
      .filter((one) => one.reasons.length === 0)
      .map(({ backup }) => ({ backup, reasons: [`no rule keeps it: ${describePolicy(policy)}`] })),
  };
}

export function newerFirst(a: KeptBackup, b: KeptBackup): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

/** What keeps a backup whatever the policy says. */
function protections(backup: KeptBackup, now: Date): string[] {
  const { hold, verification_failed: failed, last_read_at: readAt } = backup;
  const isRead = readAt !== undefined && Date.parse(readAt) + READING_MS > now.getTime();
  return [
    ...(hold === undefined ? [] : [hold.reason === undefined ? "on hold" : `on hold: ${hold.reason}`]),
    ...(failed === undefined ? [] : ["damaged: for people to look at, it counts for no rule"]),
    ...(isRead ? ["a restore or a verification may be reading it"] : []),
  ];
}

/** The newest backup of each of the `count` newest buckets that have any. */
function newestPerBucket<B extends KeptBackup>(
  period: Period,
  newestFirst: readonly B[],
  count: number,
): Map<string, B> {
  const newest = new Map<string, B>();
  for (const backup of newestFirst) {
    const bucket = bucketOf(period, backup.created_at);
    if (newest.has(bucket)) continue;
    if (newest.size >= count) break;
    newest.set(bucket, backup);
  }
  return newest;
}

function describePolicy(policy: Retention): string {
  const rules = Object.entries(policy).filter(([, count]) => count > 0);
  return rules.map(([name, count]) => `${name} ${count}`).join(", ");
}
