// What the reports of all jobs but backups have in common, and the archive that such a job reads.
import type { JobReport, SourceBackup } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { systemClock } from "./clock.ts";
import type { JobContext } from "./context.ts";
import { type FoundArchive, openSource } from "./find-archive.ts";

export type JobReportBase = Pick<
  JobReport,
  "site_id" | "fencing" | "started_at" | "finished_at" | "stages" | "warnings" | "warnings_total"
>;

/** As of now. */
export function jobReportBase(job: JobContext, startedAt: Date): JobReportBase {
  return {
    site_id: job.site.id,
    fencing: job.claim.fencing,
    started_at: startedAt.toISOString(),
    finished_at: job.now().toISOString(),
    stages: job.stages.times(),
    warnings: [],
    warnings_total: 0,
  };
}

/** The archive in the claim; its URL is renewed for as long as the job is ours. @throws BackupError */
export async function openClaimedArchive(job: JobContext): Promise<FoundArchive> {
  const { source, job: claimed } = job.claim;
  if (source === undefined) {
    throw new BackupError("master_refused", { detail: "the claim names no archive to read" });
  }
  const renew = (): Promise<SourceBackup> =>
    job.master.call("getNodeBackup", {
      params: { id: source.backup_id },
      query: { job_id: claimed.id },
      signal: job.signal,
    });
  return await openSource(source, { renew, clock: systemClock, signal: job.signal });
}

/** Shows how much of the archive's content has been read. */
export function countInto(job: JobContext): (progress: { bytesTotal: number; bytesDone: number }) => void {
  return ({ bytesTotal, bytesDone }) => {
    job.progress.bytesTotal = bytesTotal;
    job.progress.bytesDone = bytesDone;
  };
}
