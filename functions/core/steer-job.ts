// The calls that start, stop, give back and bury a job; each is a decision on records that were just read.
import type { ErrorReport } from "#shared/contracts/common.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import { type JobOrder, newJob } from "./claim-job.ts";
import {
  effectiveJob,
  endJob,
  endStep,
  errorReport,
  hasEnded,
  hasLiveLease,
  refuse,
  type Step,
  siteAfterEnd,
  withoutLease,
} from "./job-state.ts";
import type { JobRecord, SiteRecord } from "./records.ts";

const INTERRUPTED: ErrorCode = "interrupted";

/** A restore that died half-way was put back by its runner's next start: whether to try again is for people. */
const attemptsOf = (type: JobOrder["type"]): number => (type === "restore" || type === "undo" ? 1 : 2);

/** Queues a manual job; the new one is the last of `jobs`. `activeJob` is the one `site.active_job_id` names. */
export function startJob(
  jobId: string,
  site: SiteRecord,
  activeJob: JobRecord | undefined,
  now: Date,
  order: JobOrder = { type: "backup" },
  correlationId?: string,
): Step {
  if (site.state === "paused" && order.type === "backup") return refuse(new BackupError("site_paused"));
  const active = activeJob === undefined ? undefined : effectiveJob(activeJob, now);
  if (active !== undefined && !hasEnded(active.state)) {
    return refuse(new BackupError("backup_in_progress", { data: { job_id: active.id } }));
  }
  // A second is for a runner that dies: a failure that it reports is final, because somebody is waiting for it.
  const maxAttempts = attemptsOf(order.type);
  const known = correlationId === undefined ? {} : { correlationId };
  const after = newJob({ jobId, site, trigger: "manual", maxAttempts, dueAt: now, now, order, ...known });
  const displaced =
    active === undefined || active === activeJob ? [] : [{ before: activeJob, after: active }];
  const siteNow = active === undefined ? site : siteAfterEnd(site, active);
  return {
    jobs: [...displaced, { before: undefined, after }],
    site: { before: site, after: { ...siteNow, active_job_id: jobId } },
  };
}

/** A queued job ends at once; a running one is asked to stop, which its runner learns with its next progress. */
export function stopJob(job: JobRecord | undefined, site: SiteRecord, now: Date): Step {
  if (job === undefined) return refuse(new BackupError("nothing_to_stop"));
  if (hasLiveLease(job, now)) return { jobs: [{ before: job, after: { ...job, cancel_requested: true } }] };
  const current = effectiveJob(job, now);
  if (current !== job && hasEnded(current.state)) {
    return endStep({ before: job, after: current }, site, new BackupError("nothing_to_stop"));
  }
  if (hasEnded(current.state)) return refuse(new BackupError("nothing_to_stop"));
  const after = endJob(current, "cancelled", now, { reason: "Stopped before a runner took it." });
  return endStep({ before: job, after }, site);
}

/** The holder gives the lease back: to be tried again, or for good after the last attempt. */
export function releaseJob(
  job: JobRecord,
  site: SiteRecord,
  release: { readonly fencing: number; readonly error: ErrorReport },
  now: Date,
): Step {
  if (!holdsLease(job, release.fencing)) return refuse(leaseLost(job));
  const { error } = release;
  if (job.cancel_requested) {
    const after = endJob(job, "cancelled", now, { reason: "Stopped on request.", reported: true });
    return endStep({ before: job, after }, site);
  }
  // Stopping backupd, for instance to upgrade it, is nobody's failed attempt.
  const attempt = error.code === INTERRUPTED ? job.attempt - 1 : job.attempt;
  if (attempt >= job.max_attempts) {
    return endStep({ before: job, after: endJob(job, "failed", now, { error, reported: true }) }, site);
  }
  // The number grows so that nothing more is accepted under the lease that was given back.
  const after: JobRecord = {
    ...withoutLease(job),
    state: "queued",
    fencing: job.fencing + 1,
    attempt,
    error,
  };
  return { jobs: [{ before: job, after }] };
}

/** Its message could not be worked off: the job fails, unless a runner has it after all. */
export function buryJob(job: JobRecord, isNew: boolean, site: SiteRecord, reason: string, now: Date): Step {
  const current = effectiveJob(job, now);
  const before = isNew ? undefined : job;
  if (hasLiveLease(job, now)) return { jobs: [] };
  if (hasEnded(current.state))
    return current === job ? { jobs: [] } : endStep({ before, after: current }, site);
  const after = endJob(current, "failed", now, { error: errorReport("runner_lost", reason) });
  return endStep({ before, after }, site);
}

/** A lease that is over but that nobody took still counts: a node that was asleep for a while goes on. */
export function holdsLease(job: JobRecord, fencing: number): boolean {
  return job.state === "running" && job.fencing === fencing;
}

export function leaseLost(job: JobRecord): BackupError {
  return new BackupError("lease_lost", { data: { state: job.state } });
}
