// What deleting a backup does to the records. Whoever asks, an operator or the retention: a backup on hold stays, and
// one that is being read stays.
import { BackupError } from "#shared/errors.ts";
import { effectiveJob, hasEnded, refuse, type Step } from "./job-state.ts";
import type { ActivityRecord, BackupRecord, DeletedBackupRecord, JobRecord, SiteRecord } from "./records.ts";

export interface DeletionInput {
  readonly backup: BackupRecord;
  /** Of the backup, also one that was removed. */
  readonly site: SiteRecord;
  /** The job that `site.active_job_id` names. */
  readonly activeJob: JobRecord | undefined;
  /** The site's two newest backups, newest first. */
  readonly newest: readonly BackupRecord[];
  readonly by: string;
  readonly why: string;
  /** To be written with it, where no API call leaves one. */
  readonly activity?: ActivityRecord;
}

export function deleteBackup(input: DeletionInput, now: Date): Step {
  const { backup, site, activeJob, activity } = input;
  if (backup.hold !== undefined) return refuse(new BackupError("backup_held"));
  const reader = activeJob === undefined ? undefined : effectiveJob(activeJob, now);
  if (reader?.source_backup_id === backup.id && !hasEnded(reader.state)) {
    return refuse(
      new BackupError("conflict", {
        detail: `A ${reader.type} of this backup is ${reader.state}.`,
        hint: `Wait for it, or end it with POST /api/v1/jobs/${reader.id}/cancel.`,
      }),
    );
  }
  const deleted: DeletedBackupRecord = {
    id: backup.id,
    backup,
    deleted_at: now.toISOString(),
    by: input.by,
    why: input.why,
    object: "there",
  };
  return {
    jobs: [],
    deleted,
    ...(site.last_backup_id === backup.id ? { site: { before: site, after: siteWithout(input) } } : {}),
    ...(activity === undefined ? {} : { activity }),
  };
}

/** The site's newest backup is then the one before. */
function siteWithout({ site, backup, newest }: DeletionInput): SiteRecord {
  const { last_backup_id: _id, last_backup_at: _at, ...rest } = site;
  const next = newest.find(({ id }) => id !== backup.id);
  return next === undefined ? rest : { ...rest, last_backup_id: next.id, last_backup_at: next.created_at };
}
