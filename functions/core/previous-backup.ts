// Which archive the next backup of a site may copy from, and how long ago the last one was that copied nothing.
import type { PreviousBackup } from "#shared/contracts/jobs.ts";
import type { BackupRecord, JobRecord } from "./records.ts";

/** How many records the rule needs to see at most: enough to tell that a full backup is due. */
export const PREVIOUS_BACKUPS_READ = 30;

/** Nothing is copied from one storage to another. */
export function isElsewhere(
  [newest]: readonly BackupRecord[],
  { provider_id: here }: Pick<JobRecord, "provider_id">,
): boolean {
  return newest !== undefined && newest.provider_id !== here;
}

/** `newestFirst`: the site's backups under its present node. */
export function previousBackup(newestFirst: readonly BackupRecord[]): PreviousBackup | undefined {
  const [newest] = newestFirst;
  if (newest === undefined || mayBeDamaged(newestFirst)) return undefined;
  const lastFull = newestFirst.findIndex(({ archive }) => archive.mode === "full");
  return {
    backup_id: newest.id,
    s3_path: newest.s3_path,
    size_bytes: newest.size_bytes,
    etag: newest.archive.etag,
    sha256_index: newest.archive.sha256_index,
    backups_since_full: lastFull === -1 ? newestFirst.length : lastFull,
  };
}

/** What is damaged in one archive may have been copied into all that came after it, until one was packed in full. */
function mayBeDamaged(newestFirst: readonly BackupRecord[]): boolean {
  for (const { verification_failed: failed, verified_at: verifiedAt, archive } of newestFirst) {
    if (failed !== undefined) return true;
    if (verifiedAt !== undefined || archive.mode === "full") return false;
  }
  return false;
}
