// A restore as a job: into the site that the Master names, or into a new directory on this node.
import type { JobRequest } from "#shared/contracts/jobs.ts";
import type { Finding, JobReport, RestoreResult } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { archiveRestoreSource } from "./archive-restore-source.ts";
import { systemClock } from "./clock.ts";
import type { JobContext, RunJob } from "./context.ts";
import type { FoundArchive } from "./find-archive.ts";
import { openRestoreStore } from "./io/restore/restore-store.ts";
import { openSiteTree } from "./io/restore/site-tree.ts";
import { countInto, jobReportBase, openClaimedArchive } from "./job-report.ts";
import type { RestoreOutcome } from "./restore-context.ts";
import { restoreTo } from "./restore-to.ts";
import { runRestore } from "./run-restore.ts";

type Request = JobRequest & { type: "restore" };

interface Restored {
  readonly restore: RestoreResult;
  readonly warnings: Finding[];
}

export const runRestoreJob: RunJob = async (job: JobContext): Promise<JobReport> => {
  const startedAt = job.now();
  const { request } = job.claim.job;
  if (request?.type !== "restore") {
    throw new BackupError("master_refused", { detail: "the claim does not say what to restore" });
  }
  job.stages.enter("preflight");
  await using found = await openClaimedArchive(job);
  await job.lease.renew();
  const { to } = request;
  const { restore, warnings } =
    to === undefined ? await intoSite(job, request, found) : await intoDirectory(job, to, request, found);
  const base = jobReportBase(job, startedAt);
  return { ...base, status: "success", restore, warnings, warnings_total: warnings.length };
};

async function intoSite(
  job: JobContext,
  { only, paths, new_url: newUrl, dry_run: dryRun }: Request,
  found: FoundArchive,
): Promise<Restored> {
  using tree = openSiteTree();
  const outcome = await runRestore(
    { site: job.site, only, paths, newUrl, dryRun },
    archiveRestoreSource(found),
    {
      store: await openRestoreStore(job.restoresDir),
      tree,
      siteEnvFile: () => job.siteEnvFile,
      signal: job.signal,
      now: job.now,
      log: job.log,
      enter: (stage) => job.stages.enter(stage),
      onProgress: countInto(job),
    },
  );
  return { restore: outcome.result, warnings: tableWarnings(outcome) };
}

/** A thousand table names would be more than a report takes. */
const MESSAGE_CHARS = 2000;

function tableWarnings({ removedTables, leftTables, urlSkipped }: RestoreOutcome): Finding[] {
  const warn = (code: string, text: string, names: readonly string[]): Finding[] =>
    names.length === 0 ? [] : [{ code, message: `${text}: ${names.join(", ")}`.slice(0, MESSAGE_CHARS) }];
  return [
    ...warn("tables_removed", "Tables of the site that the backup does not have", removedTables),
    ...warn("tables_left", "Not restored, because they are another site's", leftTables),
    ...warn("url_not_everywhere", "The old address stays", urlSkipped),
  ];
}

async function intoDirectory(
  job: JobContext,
  to: string,
  { only, paths, dry_run: dryRun }: Request,
  { archive }: FoundArchive,
): Promise<Restored> {
  job.stages.enter("extract");
  const selection = { only, ...(paths.length === 0 ? {} : { paths }) };
  const { extracted } = await restoreTo(
    { archive, selection, to, dryRun },
    { signal: job.signal, clock: systemClock, onProgress: countInto(job) },
  );
  const { bytes, requests } = archive.reader.traffic();
  const restore = {
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
  return { restore, warnings: [] };
}
