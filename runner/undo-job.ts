// An undo as a job: what the site's last restore replaced comes back.
import type { JobReport, RestoreResult } from "#shared/contracts/restores.ts";
import type { JobContext, RunJob } from "./context.ts";
import { openRestoreStore } from "./io/restore/restore-store.ts";
import { openSiteTree } from "./io/restore/site-tree.ts";
import { countInto, jobReportBase } from "./job-report.ts";
import { runUndo, type UndoResult } from "./run-undo.ts";

export const runUndoJob: RunJob = async (job: JobContext): Promise<JobReport> => {
  const startedAt = job.now();
  const { request } = job.claim.job;
  const dryRun = request?.type === "undo" && request.dry_run;
  using tree = openSiteTree();
  const store = await openRestoreStore(job.restoresDir);
  job.stages.enter("undo");
  await job.lease.renew();
  const undone = await runUndo(
    { siteId: job.site.id, dryRun },
    {
      store,
      tree,
      siteEnvFile: () => job.siteEnvFile,
      signal: job.signal,
      now: job.now,
      log: job.log,
      onProgress: countInto(job),
    },
  );
  return { ...jobReportBase(job, startedAt), status: "success", restore: resultOf(undone, dryRun) };
};

const SAMPLE_PATHS = 50;

function resultOf({ paths }: UndoResult, dryRun: boolean): RestoreResult {
  return {
    ...{ bytes_downloaded: 0, requests: 0, files: 0, files_bytes: 0, db_bytes: 0, tables: 0 },
    dry_run: dryRun,
    undo_until: null,
    kept_bytes: 0,
    url_change: null,
    sample: paths.slice(0, SAMPLE_PATHS),
  };
}
