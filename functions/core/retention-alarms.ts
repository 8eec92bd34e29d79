// When the retention must not delete anything: backups fail, or the newest look as if the site was destroyed, encrypted
// or emptied. Old backups are then what saves it, so people have to look first.
import type { RetentionAlarm } from "#shared/contracts/retention.ts";
import { formatBytes } from "#shared/units.ts";
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

/** How many of the newest are looked at, and with how many before it each is compared. */
const LOOKED_AT = 10;
const COMPARED_WITH = 5;
/** Below these a small site's everyday changes are no sign of anything. */
const NOTABLE_BYTES = 20_000_000;
const NOTABLE_DB_BYTES = 1_000_000;
const NOTABLE_ENTRIES = 500;
const SHRUNK = 0.5;
const GROWN = 3;
/** Of the ratio of stored to raw bytes, which encryption drives towards 1. */
const RATIO_RISE = 0.25;
const CHANGED_SHARE = 0.5;

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
  for (const [at, backup] of newestFirst.slice(0, LOOKED_AT).entries()) {
    if (backup.created_at <= acceptedAt) break;
    const before = newestFirst.slice(at + 1, at + 1 + COMPARED_WITH);
    if (before.length > 0) alarms.push(...jumps(backup, before));
  }
  return alarms;
}

/** These stay until an operator has looked, because the next backups would make them look normal. */
export function isSticky({ code }: RetentionAlarm): boolean {
  return code === "size_jumped" || code === "entropy_jumped" || code === "much_changed";
}

function jumps(backup: WatchedBackup, before: readonly WatchedBackup[]): RetentionAlarm[] {
  const alarms: RetentionAlarm[] = [];
  const raise = (code: RetentionAlarm["code"], message: string): void => {
    alarms.push({ code, message: `${message} (backup of ${backup.created_at})`, backup_id: backup.id });
  };
  const { archive } = backup;
  for (const { what, of, notable } of SIZES) {
    const [was, is] = [median(before.map(of)), of(backup)];
    if (Math.abs(is - was) < notable || (is >= was * SHRUNK && is <= was * GROWN)) continue;
    raise("size_jumped", `${what} went from ${formatBytes(was)} to ${formatBytes(is)}`);
  }
  const [ratioWas, ratioIs] = [median(before.map(ratioOf)), ratioOf(backup)];
  if (archive.tar_bytes >= NOTABLE_BYTES && ratioIs - ratioWas > RATIO_RISE) {
    const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;
    const change = `from ${percent(ratioWas)} to ${percent(ratioIs)}`;
    raise("entropy_jumped", `The data compresses much worse, as encrypted data does: ${change}`);
  }
  const known = archive.entries_unchanged + archive.entries_changed + archive.entries_deleted;
  const touched = archive.entries_changed + archive.entries_deleted;
  if (archive.mode === "incremental" && touched >= NOTABLE_ENTRIES && touched > known * CHANGED_SHARE) {
    raise("much_changed", `${touched} of ${known} files were changed or deleted at once`);
  }
  return alarms;
}

interface WatchedSize {
  readonly what: string;
  readonly of: (backup: WatchedBackup) => number;
  readonly notable: number;
}

const SIZES: readonly WatchedSize[] = [
  { what: "The files", of: ({ archive }) => archive.files_bytes, notable: NOTABLE_BYTES },
  { what: "The database", of: ({ archive }) => archive.db_bytes, notable: NOTABLE_DB_BYTES },
];

function ratioOf({ archive, size_bytes: sizeBytes }: WatchedBackup): number {
  return archive.tar_bytes === 0 ? 0 : sizeBytes / archive.tar_bytes;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
