// May this runner take this job now? One site has one active job, one job has one lease, and a job that is no
// longer of use ends here instead of running.
import type { ClaimJob, JobRequest } from "#shared/contracts/jobs.ts";
import { BackupError } from "#shared/errors.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { archiveFileName, objectPath } from "#shared/object-key.ts";
import {
  type Change,
  deadlineMs,
  effectiveJob,
  endJob,
  endStep,
  hasEnded,
  hasLiveLease,
  refuse,
  type Step,
  siteAfterEnd,
} from "./job-state.ts";
import type { BackupRecord, JobRecord, SiteRecord } from "./records.ts";
import { resumedPathTime } from "./resumed-path.ts";

export const SCHEDULED_ATTEMPTS = 3;
const BUSY_RETRY_SECONDS = 60;

export interface ClaimInput {
  readonly jobId: string;
  readonly body: ClaimJob;
  readonly job: JobRecord | undefined;
  /** Checked by the caller to belong to the claiming node. */
  readonly site: SiteRecord;
  /** The job that `site.active_job_id` names. */
  readonly activeJob: JobRecord | undefined;
  /** The backup that the job restores or verifies; of a scheduled proof's first claim, the site's newest. */
  readonly source?: BackupRecord | undefined;
  /** Of `source`, if it is another one than `site`. */
  readonly sourceSite?: SiteRecord | undefined;
  readonly leaseSeconds: number;
  /** Of the claim: a job that is made by it goes by the same. */
  readonly correlationId?: string;
}

/** The granted job is the last of `jobs`. */
export function claimJob(input: ClaimInput, now: Date): Step {
  const { body, site } = input;
  const known = input.job ?? jobAtFirstClaim(input, now);
  if (known.site_id !== body.site_id) return refuse(mismatch("site_id", "is not the site of that job"));
  const job = effectiveJob(known, now);
  const end = (after: JobRecord): Step =>
    input.job !== undefined && after === input.job
      ? refuse(ended(after))
      : endStep({ before: input.job, after }, site, ended(after));

  if (hasEnded(job.state)) return end(job);
  const isMine = job.runner_id === body.runner_id;
  if (hasLiveLease(job, now) && !isMine) return refuse(leaseHeld(job, now));
  const uselessBecause = uselessReason(job, input);
  if (uselessBecause !== undefined) return end(endJob(job, uselessBecause.state, now, uselessBecause));

  const other = input.activeJob?.id === job.id ? undefined : input.activeJob;
  const otherNow = other === undefined ? undefined : effectiveJob(other, now);
  if (otherNow !== undefined && !hasEnded(otherNow.state)) return refuse(busy(otherNow));
  return grant(input, job, endedChange(other, otherNow), now);
}

function grant(input: ClaimInput, job: JobRecord, displaced: Change<JobRecord>[], now: Date): Step {
  const { site } = input;
  const resumePath = job.type === "backup" ? input.body.resume_path : undefined;
  const pathAt = resumedPathTime(site, resumePath, now) ?? nextPathTime(site, now);
  const pathInstant = pathAt.toISOString();
  const isNewPath = pathInstant > (site.last_path_at ?? "");
  const place = { nodeId: site.node_id, siteId: site.id, fileName: archiveFileName(site.name, pathAt) };
  // The same process that asks again has lost the first answer: it goes on with its attempt, under a new number.
  const isSameAttempt = hasLiveLease(job, now);
  const { ended_at: _ended, provider_id: _storage, ...rest } = job;
  const after: JobRecord = {
    ...rest,
    state: "running",
    site_name: site.name,
    fencing: job.fencing + 1,
    attempt: isSameAttempt ? job.attempt : job.attempt + 1,
    runner_id: input.body.runner_id,
    lease_expires_at: new Date(now.getTime() + input.leaseSeconds * 1000).toISOString(),
    started_at: now.toISOString(),
    s3_path: objectPath(place),
    path_at: pathInstant,
    ...(site.storage_provider_id === undefined ? {} : { provider_id: site.storage_provider_id }),
  };
  const siteNow = displaced.reduce((current, change) => siteAfterEnd(current, change.after), site);
  return {
    jobs: [...displaced, { before: input.job, after }],
    site: {
      before: site,
      after: {
        ...siteNow,
        active_job_id: job.id,
        ...(isNewPath ? { last_path_at: pathInstant } : {}),
      },
    },
  };
}

/** Whole seconds, as in archive names, and later than every name handed out for the site before. */
function nextPathTime(site: SiteRecord, now: Date): Date {
  const nowMs = Math.floor(now.getTime() / 1000) * 1000;
  const lastMs = site.last_path_at === undefined ? 0 : Date.parse(site.last_path_at);
  return new Date(Math.max(nowMs, lastMs + 1000));
}

function jobAtFirstClaim(input: ClaimInput, now: Date): JobRecord {
  const { body, jobId, site } = input;
  const { correlationId } = input;
  const base = { jobId, site, trigger: body.trigger, now, ...(correlationId && { correlationId }) };
  if (body.trigger === "manual") {
    if (body.create)
      return newJob({ ...base, maxAttempts: 1, dueAt: now, order: { ...BACKUP, full: body.full } });
    throw new BackupError("not_found", { detail: `There is no job ${jobId}.` });
  }
  if (body.scheduled_time === undefined) {
    throw mismatch("scheduled_time", "is needed: a scheduled job is made at its first claim");
  }
  if (jobIdFor(site.id, body.scheduled_time, body.type) !== jobId) {
    throw mismatch("scheduled_time", "does not give the job id in the path");
  }
  const order = body.type === "backup" ? BACKUP : proofOrder(site, input.source);
  return newJob({ ...base, maxAttempts: SCHEDULED_ATTEMPTS, dueAt: new Date(body.scheduled_time), order });
}

/** What a job is to do. */
export interface JobOrder {
  readonly type: JobRecord["type"];
  /** Of a backup: copy nothing from the one before. */
  readonly full?: boolean;
  readonly sourceBackupId?: string;
  readonly request?: JobRequest;
}

const BACKUP: JobOrder = { type: "backup" };

/** What a proof schedule asks for: the site's newest backup, as it is when a runner takes the job. */
function proofOrder(site: SiteRecord, newest: BackupRecord | undefined): JobOrder {
  return {
    type: "verify",
    request: { type: "verify", deep: site.proof?.deep ?? true, boot: site.proof?.boot ?? false },
    ...(newest === undefined ? {} : { sourceBackupId: newest.id }),
  };
}

export interface NewJob {
  readonly jobId: string;
  readonly site: SiteRecord;
  readonly trigger: JobRecord["trigger"];
  readonly maxAttempts: number;
  /** The scheduled time; the time of the call for a manual job. */
  readonly dueAt: Date;
  readonly now: Date;
  readonly order?: JobOrder;
  readonly correlationId?: string;
}

export function newJob(job: NewJob): JobRecord {
  const { jobId, site, trigger, maxAttempts, dueAt, now, order = BACKUP, correlationId } = job;
  const { type, full = false, sourceBackupId, request } = order;
  return {
    id: jobId,
    version: 0,
    ...(site.tenant === undefined ? {} : { tenant: site.tenant }),
    type,
    site_id: site.id,
    site_name: site.name,
    node_id: site.node_id,
    trigger,
    ...(correlationId === undefined ? {} : { correlation_id: correlationId }),
    ...(full ? { full } : {}),
    ...(sourceBackupId === undefined ? {} : { source_backup_id: sourceBackupId }),
    ...(request === undefined ? {} : { request }),
    state: "queued",
    created_at: now.toISOString(),
    ...(trigger === "schedule" ? { scheduled_at: dueAt.toISOString() } : {}),
    deadline_at: new Date(dueAt.getTime() + deadlineMs(type)).toISOString(),
    attempt: 0,
    max_attempts: maxAttempts,
    fencing: 0,
    cancel_requested: false,
  };
}

function uselessReason(
  job: JobRecord,
  { site, source, sourceSite }: ClaimInput,
): { state: "skipped" | "expired"; reason: string } | undefined {
  // A site is paused so that nothing happens by itself; a restore may be what it is paused for.
  if (site.state === "paused" && (job.type === "backup" || job.trigger === "schedule")) {
    return { state: "skipped", reason: "The site is paused." };
  }
  if (source !== undefined && source.site_id !== site.id && sourceSite?.tenant !== site.tenant) {
    return { state: "skipped", reason: "The backup and the site are no longer of one tenant." };
  }
  if ((job.type === "restore" || job.type === "verify") && source === undefined) {
    const reason =
      job.source_backup_id === undefined
        ? "The site has no backup yet."
        : "The backup was deleted meanwhile.";
    return { state: "skipped", reason };
  }
  const isOutdone =
    job.type === "backup" &&
    job.trigger === "schedule" &&
    job.scheduled_at !== undefined &&
    site.last_backup_at !== undefined &&
    site.last_backup_at > job.scheduled_at;
  return isOutdone
    ? { state: "expired", reason: "A newer backup of the site succeeded meanwhile." }
    : undefined;
}

function endedChange(before: JobRecord | undefined, after: JobRecord | undefined): Change<JobRecord>[] {
  // A record that already says it has ended needs no second write: only the site still named it.
  return before === undefined || after === undefined || before === after ? [] : [{ before, after }];
}

function ended(job: JobRecord): BackupError {
  return new BackupError("job_ended", {
    detail: `The job is ${job.state}${job.reason === undefined ? "." : `: ${job.reason}`}`,
    data: { state: job.state },
  });
}

function leaseHeld(job: JobRecord, now: Date): BackupError {
  const leftMs = Date.parse(job.lease_expires_at ?? "") - now.getTime();
  return new BackupError("lease_held", {
    data: { retry_after_seconds: Math.max(1, Math.ceil(leftMs / 1000)) },
  });
}

function busy(job: JobRecord): BackupError {
  return new BackupError("backup_in_progress", {
    data: { job_id: job.id, retry_after_seconds: BUSY_RETRY_SECONDS },
  });
}

function mismatch(path: string, message: string): BackupError {
  return new BackupError("invalid_request", {
    detail: `${path} ${message}.`,
    data: { issues: [{ path, message }] },
  });
}
