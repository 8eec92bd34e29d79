// When the retention must not delete anything: backups fail, or the newest look as if the site was destroyed, encrypted
// or emptied. Old backups are then what saves it, so people have to look first.
import type { RetentionAlarm } from "#shared/contracts/retention.ts";
import { gradualSigns, suddenSigns } from "./attack-signs.ts";
import type { BackupRecord, JobRecord } from "./records.ts";
import { type KeptBackup, newerFirst, type RetentionPlan } from "./retention.ts";

export type WatchedBackup = KeptBackup & Pick<BackupRecord, "archive">;

export interface AlarmInput {
  readonly backups: readonly WatchedBackup[];
  /** The site's last backup job that ended, if there was one. */
  readonly lastJob: Pick<JobRecord, "state" | "error"> | undefined;
  /** An operator has looked at everything up to then. */
  readonly acceptedAt: string | undefined;
  readonly plan: RetentionPlan<WatchedBackup>;
}

/** How many of the newest are looked at, and how many before them say what is usual. */
const LOOKED_AT = 10;
const USUAL_FROM = 20;

export function retentionAlarms(input: AlarmInput): RetentionAlarm[] {
  const { backups, lastJob, acceptedAt = "", plan } = input;
  const newestFirst = [...backups].sort(newerFirst);
  const [newest] = newestFirst;
  const alarms: RetentionAlarm[] = [];
  if (lastJob?.state === "failed") {
    const message = `The last backup failed: ${lastJob.error?.message ?? "no reason is known"}`;
    alarms.push({ code: "backups_failing", message, backup_id: null });
  }
  if (newest?.verification_failed !== undefined) {
    const message = `The newest backup is damaged: ${newest.verification_failed.error.message}`;
    alarms.push({ code: "newest_damaged", message, backup_id: newest.id });
  }
  if (plan.keep.every(({ backup }) => backup.verification_failed !== undefined) && plan.remove.length > 0) {
    alarms.push({ code: "would_empty", message: "No good backup would be left.", backup_id: null });
  }
  const seen = newestFirst.findIndex(({ created_at: at }) => at <= acceptedAt);
  const looked = newestFirst.slice(0, seen === -1 ? LOOKED_AT : Math.min(seen, LOOKED_AT));
  for (const [at, backup] of looked.entries()) alarms.push(...suddenSigns(backup, newestFirst.slice(at + 1)));
  const older = newestFirst.slice(looked.length, looked.length + USUAL_FROM);
  const told = new Set(alarms.map(({ code }) => code));
  // What one backup says by itself needs no saying by all of them.
  alarms.push(...gradualSigns(looked, older).filter(({ code }) => !told.has(code)));
  return alarms;
}

/** These stay until an operator has looked, because the next backups would make them look normal. */
export function isSticky({ code }: RetentionAlarm): boolean {
  return STICKY.has(code);
}

const STICKY: ReadonlySet<RetentionAlarm["code"]> = new Set([
  "size_jumped",
  "entropy_jumped",
  "much_changed",
  "looks_encrypted",
]);
