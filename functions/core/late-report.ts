// The report of a backup that was recorded from its index meanwhile: it comes late, and knows more.
import type { SuccessReport } from "#shared/contracts/backups.ts";
import type { Step } from "./job-state.ts";
import type { BackupRecord, JobRecord } from "./records.ts";

/** By the number of the lease, or of the one that was given back. */
export function isLateReport(job: JobRecord, report: SuccessReport): boolean {
  const isSamePath = job.state === "succeeded" && job.reported !== true && job.s3_path === report.s3_path;
  return isSamePath && (job.fencing === report.fencing || job.fencing === report.fencing + 1);
}

/** `backup`: as it was recorded, unless it was deleted since. */
export function completeAdopted(
  job: JobRecord,
  backup: BackupRecord | undefined,
  report: SuccessReport,
): Step {
  const told = {
    stages: report.stages,
    warnings: report.warnings,
    warnings_total: Math.max(report.warnings_total, report.warnings.length),
  };
  const after: JobRecord = { ...job, ...told, fencing: report.fencing, reported: true };
  if (backup === undefined) return { jobs: [{ before: job, after }] };
  const { archive, started_at, finished_at } = report;
  const set = { ...told, archive, started_at, finished_at };
  return { jobs: [{ before: job, after }], mark: { backup, set, remove: ["origin"] } };
}
