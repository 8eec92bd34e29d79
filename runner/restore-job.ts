// A restore as a job: into the site that the Master names, or into a new directory on this node.
import type { JobRequest } from "#shared/contracts/jobs.ts";
import type { JobReport, RestoreResult } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { systemClock } from "./clock.ts";
import type { JobContext, RunJob } from "./context.ts";
import type { FoundArchive } from "./find-archive.ts";
import { countInto, jobReportBase, openClaimedArchive } from "./job-report.ts";
import { restoreTo } from "./restore-to.ts";

type Request = JobRequest & { type: "restore" };

export const runRestoreJob: RunJob = async (job: JobContext): Promise<JobReport> => {
  const startedAt = job.now();
  const { request } = job.claim.job;
  if (request?.type !== "restore") {
    throw new BackupError("master_refused", { detail: "the claim does not say what to restore" });
  }
  job.stages.enter("preflight");
  await using found = await openClaimedArchive(job);
  await job.lease.renew();
  const restore = await intoDirectory(job, request, found);
  return { ...jobReportBase(job, startedAt), status: "success", restore };
};

async function intoDirectory(
  job: JobContext,
  { to, only, paths, dry_run: dryRun }: Request,
  { archive }: FoundArchive,
): Promise<RestoreResult> {
  if (to === undefined) {
    throw new BackupError("job_type_unknown", { detail: "this backupd cannot restore into a live site" });
  }
  job.stages.enter("extract");
  const selection = { only, ...(paths.length === 0 ? {} : { paths }) };
  const { extracted } = await restoreTo(
    { archive, selection, to, dryRun },
    { signal: job.signal, clock: systemClock, onProgress: countInto(job) },
  );
  const { bytes, requests } = archive.reader.traffic();
  return {
    bytes_downloaded: bytes,
    requests,
    files: extracted?.files ?? 0,
    files_bytes: extracted?.filesBytes ?? 0,
    db_bytes: extracted?.dbBytes ?? 0,
    tables: 0,
    dry_run: dryRun,
    undo_until: null,
    kept_bytes: 0,
    url_change: null,
    sample: [],
  };
}
