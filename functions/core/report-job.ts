// How a runner's report changes its job. Only the holder of the newest lease is believed, also late: a Master that
// gave the runner up for lost is corrected by the runner's own words.
import type { BackupReport, SuccessReport } from "#shared/contracts/backups.ts";
import { BackupError } from "#shared/errors.ts";
import { backupIdFor } from "#shared/job-id.ts";
import { parseObjectPath } from "#shared/object-key.ts";
import { endJob, endStep, refuse, type Step } from "./job-state.ts";
import type { BackupRecord, JobRecord, SiteRecord } from "./records.ts";
import { holdsLease, leaseLost } from "./steer-job.ts";

const STATE_OF = {
  success: "succeeded",
  failed: "failed",
  skipped: "skipped",
  cancelled: "cancelled",
} as const;

/** The very report that ended the job, once more. */
export function isRepeat(job: JobRecord, report: BackupReport): boolean {
  return (
    job.reported === true &&
    job.fencing === report.fencing &&
    job.state === STATE_OF[report.status] &&
    (report.status !== "success" || report.s3_path === job.s3_path)
  );
}

/** Refuses without a write, or ends the job with the report's outcome, and for a success its backup with it. */
export function reportJob(job: JobRecord, site: SiteRecord, report: BackupReport, now: Date): Step {
  if (job.type !== "backup") return refuse(invalid("job_id", "is no backup: use POST /jobs/{id}/report"));
  if (job.site_id !== report.site_id) return refuse(invalid("site_id", "is not the site of that job"));
  if (!mayReport(job, report.fencing) && !isLateSuccess(job, report)) return refuse(leaseLost(job));
  const told = {
    stages: report.stages,
    warnings: report.warnings,
    warnings_total: Math.max(report.warnings_total, report.warnings.length),
  };
  const end = (why: Pick<JobRecord, "reason" | "error">): JobRecord => ({
    ...endJob(job, STATE_OF[report.status], now, { ...why, reported: true }),
    // Of a lease that was given back it is the number before: its repeat must be known again.
    fencing: report.fencing,
    ...told,
  });
  switch (report.status) {
    case "success": {
      if (report.s3_path !== job.s3_path) {
        return refuse(invalid("s3_path", "is not the path that this claim was given"));
      }
      const backup = backupOf(job, site, report, told);
      const after = { ...end({}), backup_id: backup.id };
      return endStep({ before: job, after }, site, undefined, backup);
    }
    case "failed":
      return endStep({ before: job, after: end({ error: report.error }) }, site);
    case "skipped":
      return endStep({ before: job, after: end({ reason: report.reason }) }, site);
    case "cancelled":
      return endStep({ before: job, after: end({ reason: "Stopped on request." }) }, site);
  }
}

/** Refuses a path that no claim of that site's jobs can have been given. */
export function checkReportedPath(report: SuccessReport, site: SiteRecord): void {
  const place = parseObjectPath(report.s3_path);
  if (place === undefined) throw invalid("s3_path", "is not /{node_uuid}/{site_uuid}/{filename}");
  if (place.nodeId !== site.node_id || place.siteId !== site.id) {
    throw invalid("s3_path", "is not below the node and site of the job");
  }
}

/**
 * The runner gave the job back because it could not learn that its upload had been completed, and found out before
 * anybody else took the job.
 */
function isLateSuccess(job: JobRecord, report: BackupReport): boolean {
  const isOfThisJob = report.status === "success" && report.s3_path === job.s3_path;
  return isOfThisJob && job.state === "queued" && job.fencing === report.fencing + 1;
}

/** The lease's holder, or its last holder where the Master only guessed how the job ended. */
export function mayReport(job: JobRecord, fencing: number): boolean {
  if (holdsLease(job, fencing)) return true;
  const isGuess = ["failed", "expired", "cancelled"].includes(job.state) && job.reported !== true;
  return isGuess && job.fencing === fencing;
}

function backupOf(
  job: JobRecord,
  { tenant }: SiteRecord,
  report: SuccessReport,
  told: Pick<BackupRecord, "stages" | "warnings" | "warnings_total">,
): BackupRecord {
  return {
    id: backupIdFor(job.id),
    ...(tenant === undefined ? {} : { tenant }),
    job_id: job.id,
    site_id: job.site_id,
    site_name: job.site_name,
    node_id: job.node_id,
    trigger: job.trigger,
    created_at: job.path_at ?? report.started_at,
    s3_path: report.s3_path,
    ...(job.provider_id === undefined ? {} : { provider_id: job.provider_id }),
    size_bytes: report.size_bytes,
    archive: report.archive,
    started_at: report.started_at,
    finished_at: report.finished_at,
    ...told,
  };
}

export function invalid(path: string, message: string): BackupError {
  return new BackupError("invalid_request", {
    detail: `${path} ${message}.`,
    data: { issues: [{ path, message }] },
  });
}
