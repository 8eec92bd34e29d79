// How a job ended, with the report in the shape of its type: a backup's goes to another call than all others.
import type { BackupReport, StageTime } from "#shared/contracts/backups.ts";
import type { Claim, JobType } from "#shared/contracts/jobs.ts";
import type { JobReport } from "#shared/contracts/restores.ts";
import type { BackupError } from "#shared/errors.ts";
import type { MasterClient } from "./io/master-client.ts";
import { toErrorReport } from "./plan/error-class.ts";

export type Outcome =
  | { readonly type: "backup"; readonly jobId: string; readonly report: BackupReport }
  | { readonly type: Exclude<JobType, "backup">; readonly jobId: string; readonly report: JobReport };

/** Of a job that ended with `error`. */
export function failedOutcome(
  claim: Claim,
  error: BackupError,
  ran: { readonly startedAt: Date; readonly finishedAt: Date; readonly stages: readonly StageTime[] },
): Outcome {
  const { id, site_id, type } = claim.job;
  const base = {
    site_id,
    fencing: claim.fencing,
    started_at: ran.startedAt.toISOString(),
    finished_at: ran.finishedAt.toISOString(),
    stages: [...ran.stages],
    warnings: [],
    warnings_total: 0,
  };
  const isStopped = error.code === "cancelled" || error.code === "interrupted";
  const end = isStopped
    ? { status: "cancelled" as const }
    : { status: "failed" as const, error: toErrorReport(error) };
  if (type === "backup") return { type, jobId: id, report: { ...base, ...end, job_id: id } };
  const report = end.status === "failed" ? { ...base, ...end, findings: [] } : { ...base, ...end };
  return { type, jobId: id, report };
}

/** Tells the Master. Throws BackupError. */
export async function sendOutcome(
  { type, jobId, report }: Outcome,
  master: MasterClient,
  signal: AbortSignal,
): Promise<void> {
  if (type === "backup") await master.call("reportBackup", { body: report, signal });
  else await master.call("reportJob", { params: { id: jobId }, body: report, signal });
}
