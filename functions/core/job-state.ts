// The life of a job as pure rules: what a job amounts to at a given time, and what it becomes when it ends. The
// calls that move it are in claim-job.ts, steer-job.ts, report-job.ts and report-outcome.ts.
//
//   queued ── claim ──> running ── report ──> succeeded | failed | skipped | cancelled
//     │ ^                  │
//     │ └── release, or lease over with attempts left
//     └─────────> expired (deadline, newer backup) | cancelled (stop) | failed (dead letter)
//
// Expiry needs no clock process: `effectiveJob` says what a record means now, and the next write keeps it.
import type { ErrorReport } from "#shared/contracts/common.ts";
import type { JobState, JobType } from "#shared/contracts/jobs.ts";
import { ERROR_KINDS, type ErrorCode } from "#shared/error-kinds.ts";
import type { BackupError } from "#shared/errors.ts";
import { recentDaysAfter } from "./recent-days.ts";
import type { ActivityRecord, BackupRecord, DeletedBackupRecord, JobRecord, SiteRecord } from "./records.ts";

const DEADLINE_MS = 24 * 3_600_000;
/** Nobody wants a site replaced by a restore that was asked for yesterday. */
const RESTORE_DEADLINE_MS = 3_600_000;

/** How long after it was due a job may still start. */
export function deadlineMs(type: JobType): number {
  return type === "restore" || type === "undo" ? RESTORE_DEADLINE_MS : DEADLINE_MS;
}

/** One compare-and-set: `before` is what was read; undefined for a record that must not exist yet. */
export interface Change<T> {
  readonly before: T | undefined;
  readonly after: T;
}

/** A change of some fields of a backup. The transaction fails if the backup was deleted. */
export interface BackupMark {
  readonly backup: BackupRecord;
  readonly set: Partial<Pick<BackupRecord, MarkedField>>;
  readonly remove?: readonly MarkedField[];
}
type MarkedField =
  | ("hold" | "last_read_at" | "verified_at" | "proved_at" | "proof" | "verification_failed")
  // What a report tells of a backup that its index has spoken for meanwhile.
  | ("origin" | "archive" | "started_at" | "finished_at" | "stages" | "warnings" | "warnings_total");

/** What a rule decided: records to write in one transaction, and the refusal to answer with once they are written. */
export interface Step {
  readonly jobs: readonly Change<JobRecord>[];
  readonly site?: Change<SiteRecord>;
  readonly backup?: BackupRecord;
  readonly mark?: BackupMark;
  readonly deleted?: DeletedBackupRecord;
  readonly activity?: ActivityRecord;
  readonly refusal?: BackupError;
}

export function refuse(refusal: BackupError): Step {
  return { jobs: [], refusal };
}

export function hasEnded(state: JobState): boolean {
  return state !== "queued" && state !== "running";
}

export function hasLiveLease(job: JobRecord, now: Date): boolean {
  return (
    job.state === "running" && job.lease_expires_at !== undefined && job.lease_expires_at > now.toISOString()
  );
}

/** The record as it is to be understood at `now`; the same object when the time has changed nothing. */
export function effectiveJob(job: JobRecord, now: Date): JobRecord {
  const pastDeadline = now.toISOString() > job.deadline_at;
  if (job.state === "queued" && pastDeadline) {
    return endJob(job, "expired", new Date(job.deadline_at), {
      reason: "No runner took the job before its deadline.",
    });
  }
  if (job.state !== "running" || hasLiveLease(job, now)) return job;
  const lostAt = new Date(job.lease_expires_at ?? now);
  if (job.cancel_requested)
    return endJob(job, "cancelled", lostAt, { reason: "Stopped; its runner was silent." });
  const error = errorReport("runner_lost");
  if (pastDeadline || job.attempt >= job.max_attempts) return endJob(job, "failed", lostAt, { error });
  return { ...withoutLease(job), state: "queued", error };
}

/** The job in an end state; the fencing number stays, so that its last runner may still report. */
export function endJob(
  job: JobRecord,
  state: Exclude<JobState, "queued" | "running">,
  at: Date,
  why: Pick<JobRecord, "reason" | "error" | "reported">,
): JobRecord {
  const { reason: _reason, error: _error, ...rest } = withoutLease(job);
  return { ...rest, state, ended_at: at.toISOString(), ...why };
}

export function withoutLease(job: JobRecord): JobRecord {
  const { lease_expires_at: _expiry, runner_id: _runner, ...rest } = job;
  return rest;
}

/** The site after `job` ended: free for the next one, and knowing its newest backup. */
export function siteAfterEnd(site: SiteRecord, job: JobRecord, backup?: BackupRecord): SiteRecord {
  const { active_job_id: activeJobId, ...rest } = site;
  const after = {
    ...rest,
    ...(activeJobId === undefined || activeJobId === job.id ? {} : { active_job_id: activeJobId }),
    ...(job.type === "backup" ? { last_job_id: job.id, ...lookOf(site, job) } : {}),
  };
  return backup === undefined ? after : withBackup(after, backup);
}

/** The site knows its newest backup. */
export function withBackup(site: SiteRecord, backup: BackupRecord): SiteRecord {
  if (backup.created_at <= (site.last_backup_at ?? "")) return site;
  const { id, created_at, size_bytes } = backup;
  return { ...site, last_backup_id: id, last_backup_at: created_at, last_backup_bytes: size_bytes };
}

/** What lists of sites show of their jobs, kept on the site so that a list is one Query. */
function lookOf(site: SiteRecord, job: JobRecord): Partial<SiteRecord> {
  const { ended_at: endedAt, state } = job;
  if (endedAt === undefined) return {};
  const days = recentDaysAfter(site.recent_days, state, endedAt);
  return {
    last_job: { id: job.id, state, ended_at: endedAt, code: job.error?.code ?? null },
    ...(days === undefined ? {} : { recent_days: days }),
  };
}

/** Writes the end of a job and frees its site; with `refusal`, the caller is then told that. */
export function endStep(
  job: Change<JobRecord>,
  site: SiteRecord,
  refusal?: BackupError,
  backup?: BackupRecord,
): Step {
  return {
    jobs: [job],
    site: { before: site, after: siteAfterEnd(site, job.after, backup) },
    ...(backup === undefined ? {} : { backup }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

export function errorReport(code: ErrorCode, message?: string): ErrorReport {
  const kind = ERROR_KINDS[code];
  return { code, message: message ?? kind.title, hint: kind.hint };
}
