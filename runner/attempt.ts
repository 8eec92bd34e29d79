// One leased attempt at a job, from the claim to a settled end: whatever happens in between, the job is reported,
// given back, or known to be somebody else's, and nothing of it stays on the disk.
import { join } from "node:path";
import type { Claim } from "#shared/contracts/jobs.ts";
import type { NodeConfig } from "#shared/contracts/nodes.ts";
import { asBackupError, BackupError } from "#shared/errors.ts";
import type { Clock } from "./clock.ts";
import type { BegunBackup, JobContext, JobRuns, RunBackup } from "./context.ts";
import { correlated } from "./io/correlated-master.ts";
import type { Log } from "./io/log.ts";
import type { ConfigSource } from "./io/node-config.ts";
import { callWithRetry } from "./io/retrying-master.ts";
import type { UploadJournal } from "./io/upload-journal.ts";
import { holdLease } from "./lease.ts";
import { failedOutcome, type Outcome } from "./outcome.ts";
import { jobEnd } from "./plan/error-class.ts";
import { newCounters, type ProgressCounters, type Sample, sampleProgress } from "./plan/progress.ts";
import { keepReport, releaseJob, type SettleDeps } from "./settle.ts";
import { type StageClock, startStageClock } from "./stage-clock.ts";

export interface AttemptDeps extends SettleDeps {
  readonly runBackup: RunBackup;
  readonly runJobs: JobRuns;
  readonly source: ConfigSource;
  readonly uploads: UploadJournal;
  /** Of the lines that say which stage begins. */
  readonly stageLevel: "debug" | "info";
  /** Told when a job begins, with its counters to look at, and when it is over. */
  readonly watchJob: (
    job: { readonly claim: Claim; readonly counters: ProgressCounters } | undefined,
  ) => void;
}

export interface Attempt {
  readonly claim: Claim;
  /** Monotonic time from before the claim was sent. */
  readonly claimedAtMs: number;
  readonly config: NodeConfig;
  /** Hides the job's message for longer; absent if the job came without one and so cannot come again. */
  readonly extendMessage?: (seconds: number) => Promise<void>;
  /** The runner is to stop: aborts with `interrupted`. */
  readonly stop: AbortSignal;
  readonly begun?: BegunBackup;
}

export type AttemptEnd =
  | { readonly kind: "reported"; readonly outcome: Outcome; readonly error?: BackupError }
  | { readonly kind: "released"; readonly error: BackupError }
  | { readonly kind: "lost"; readonly error: BackupError };

/** Patience of the calls within a job. */
const CALL_DEADLINE_MS = 120_000;

function progressOf(counters: ProgressCounters, clock: Clock): () => Sample["progress"] {
  let last: Sample | undefined = sampleProgress(counters, clock.monotonicMs(), undefined);
  return () => {
    last = sampleProgress(counters, clock.monotonicMs(), last);
    return last.progress;
  };
}

interface JobPlace {
  readonly counters: ProgressCounters;
  readonly stages: StageClock;
  readonly spoolDir: string;
  readonly log: Log;
}

/** Runs the job under its lease. Throws the reason of the abort, if there was one. */
async function work(attempt: Attempt, place: JobPlace, deps: AttemptDeps): Promise<Outcome> {
  const { claim, config, stop } = attempt;
  const { counters, stages, log } = place;
  const { state, clock, master } = deps;
  const site = config.sites.find(({ id }) => id === claim.job.site_id);
  if (site === undefined) {
    throw new BackupError("not_your_site", {
      detail: `site ${claim.job.site_id} is not in this node's config`,
    });
  }
  const { provider_id: providerId } = claim;
  const storage = await deps.source.storageOf(providerId);
  if (storage === undefined) {
    throw new BackupError("storage_denied", {
      detail: `the storage ${providerId} is not in this node's config`,
    });
  }
  await using lease = holdLease({
    claim,
    claimedAtMs: attempt.claimedAtMs,
    master,
    getProgress: progressOf(counters, clock),
    ...(attempt.extendMessage === undefined ? {} : { extendMessage: attempt.extendMessage }),
    beatSeconds: config.limits.progress_seconds,
    clock,
    log,
  });
  const signal = AbortSignal.any([stop, lease.signal]);
  const context: JobContext = {
    claim,
    site,
    config,
    storage,
    lease,
    signal,
    progress: counters,
    stages,
    spoolDir: place.spoolDir,
    siteEnvFile: state.siteEnvFile(site.id),
    quirksFile: state.quirksFile,
    restoresDir: state.restoresDir,
    indexCacheFile: join(state.indexDir, site.id),
    master: callWithRetry(master, { clock, deadlineMs: CALL_DEADLINE_MS }),
    s3Credentials: () => deps.source.credentialsOf(providerId),
    storages: deps.source,
    uploads: deps.uploads,
    ...(attempt.begun === undefined ? {} : { begun: attempt.begun }),
    log,
    now: () => clock.now(),
  };
  try {
    signal.throwIfAborted();
    return await run(context, deps);
  } catch (error) {
    // What an abort made a library throw says less than why it was aborted.
    throw signal.aborted ? signal.reason : error;
  }
}

/** The engine of the job's type does the work. */
async function run(context: JobContext, deps: AttemptDeps): Promise<Outcome> {
  const { id: jobId, type } = context.claim.job;
  if (type === "backup") return { type, jobId, report: await deps.runBackup(context) };
  const runJob = deps.runJobs[type];
  if (runJob === undefined) {
    throw new BackupError("job_type_unknown", { detail: `this backupd cannot work on a ${type} job` });
  }
  return { type, jobId, report: await runJob(context) };
}

async function workInSpool(
  attempt: Attempt,
  place: Omit<JobPlace, "spoolDir">,
  deps: AttemptDeps,
): Promise<Outcome> {
  const spool = await deps.state.openSpool(attempt.claim.job.id);
  try {
    return await work(attempt, { ...place, spoolDir: spool.dir }, deps);
  } finally {
    // A leftover does not make a good backup a bad one; the next start sweeps it.
    await spool.remove().catch((error: unknown) => {
      place.log.warn("spool.not_removed", { error });
    });
  }
}

/** Throws only if the end could be neither kept nor told; then the job's message must come again. */
export async function runAttempt(attempt: Attempt, given: AttemptDeps): Promise<AttemptEnd> {
  const { claim, stop } = attempt;
  const { job } = claim;
  const correlationId = job.correlation_id ?? job.id;
  const deps: AttemptDeps = { ...given, correlationId, master: correlated(given.master, correlationId) };
  const known = { job_id: job.id, site_id: job.site_id, attempt: job.attempt };
  const log = deps.log.child({ ...known, correlation_id: correlationId });
  const settling = { ...deps, log };
  const counters = newCounters();
  const stages = startStageClock(
    () => deps.clock.monotonicMs(),
    (stage) => {
      counters.stage = stage;
      log[deps.stageLevel]("stage.started", { stage });
    },
  );
  const startedAt = deps.clock.now();
  log.info("job.started", {
    type: job.type,
    site: job.site_name,
    trigger: job.trigger,
    fencing: claim.fencing,
  });
  deps.watchJob({ claim, counters });

  async function settled(error: BackupError): Promise<AttemptEnd> {
    const end = jobEnd(error, job, attempt.extendMessage !== undefined);
    log[end === "failed" ? "error" : "warn"](`job.${end}`, { error });
    if (end === "lost") return { kind: "lost", error };
    if (end === "released") {
      await releaseJob(claim, error, stop, settling);
      return { kind: "released", error };
    }
    const outcome = failedOutcome(claim, error, {
      startedAt,
      finishedAt: deps.clock.now(),
      stages: stages.times(),
    });
    await keepReport(outcome, job.site_name, stop, settling);
    return { kind: "reported", outcome, error };
  }

  try {
    const result = await workInSpool(attempt, { counters, stages, log }, deps).catch((thrown: unknown) =>
      asBackupError(thrown, "unexpected"),
    );
    if (result instanceof BackupError) return await settled(result);
    await keepReport(result, job.site_name, stop, settling);
    // Not before: until then its ledger is all that knows of the archive.
    await deps.uploads.drop(job.id).catch((error: unknown) => {
      log.warn("ledger.not_removed", { error });
    });
    log.info("job.ended", { status: result.report.status, ...sizes(result) });
    return { kind: "reported", outcome: result };
  } finally {
    deps.watchJob(undefined);
  }
}

function sizes({ type, report }: Outcome): Record<string, unknown> {
  if (type !== "backup") return {};
  if (report.status === "skipped") return { reason: report.reason };
  if (report.status !== "success") return {};
  const { archive, size_bytes, s3_path, stages, warnings_total } = report;
  return {
    size_bytes,
    s3_path,
    mode: archive.mode,
    ...(archive.full_reason === null ? {} : { full_reason: archive.full_reason }),
    files: archive.files,
    ...archive.files_compared,
    entries: archive.entries,
    bytes_read: archive.bytes_read,
    bytes_compressed: archive.bytes_compressed,
    bytes_uploaded: archive.bytes_uploaded,
    bytes_copied: archive.bytes_copied,
    ...(archive.bytes_resumed === 0 ? {} : { bytes_resumed: archive.bytes_resumed }),
    requests: archive.requests,
    peak_rss_bytes: archive.peak_rss_bytes,
    seconds: Object.fromEntries(stages.map(({ name, seconds }) => [name, seconds])),
    warnings: warnings_total,
  };
}
