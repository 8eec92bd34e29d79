// The composition root: everything that works on jobs, with the engine put in.
import { arch, release, type } from "node:os";
import { v4 } from "uuid";
import type { Claim } from "#shared/contracts/jobs.ts";
import type { NodeStorage } from "#shared/contracts/nodes.ts";
import type { AttemptDeps } from "./attempt.ts";
import { systemClock } from "./clock.ts";
import { type ControlOptions, composeControl } from "./compose-control.ts";
import type { JobRuns, RunBackup } from "./context.ts";
import type { DaemonDeps } from "./daemon.ts";
import type { StorageCredentials } from "./io/credentials.ts";
import type { LedgerHead } from "./io/ledger-head.ts";
import type { PackThread } from "./io/pack-thread.ts";
import { openUploadJournal } from "./io/upload-journal.ts";
import { keepRestores } from "./keep-restores.ts";
import type { ProgressCounters } from "./plan/progress.ts";
import type { UploadFate } from "./settle-uploads.ts";

/** The part that makes archives, and reads them. */
export interface Engine {
  /** What a backup takes time to start, for a job that is about to come. */
  readonly startPackThread?: (signal: AbortSignal) => PackThread;
  /** Reads the code that a backup runs. */
  readonly load?: () => Promise<void>;
  readonly runBackup: RunBackup;
  readonly runJobs?: JobRuns;
  readonly abortUpload: (
    upload: LedgerHead,
    storage: NodeStorage,
    credentials: () => Promise<StorageCredentials>,
  ) => Promise<void>;
  readonly uploadFate: (
    upload: LedgerHead,
    storage: NodeStorage,
    credentials: () => Promise<StorageCredentials>,
  ) => Promise<UploadFate>;
}

export interface RunningJob {
  readonly claim: Claim;
  readonly counters: ProgressCounters;
}

export interface Runner {
  readonly daemon: DaemonDeps;
  /** The job at work right now, to look at. */
  readonly runningJob: () => RunningJob | undefined;
}

/** Throws `not_enrolled` or `state_dir_unusable`. */
export async function composeRunner(
  options: ControlOptions & { readonly engine: Engine; readonly stageLevel?: AttemptDeps["stageLevel"] },
): Promise<Runner> {
  const { settings, engine, log, clock = systemClock, stageLevel = "debug" } = options;
  const control = await composeControl(options);
  const { source, state } = control;
  let running: RunningJob | undefined;
  const daemon: DaemonDeps = {
    ...control,
    restores: keepRestores({ state, clock, log }),
    runBackup: engine.runBackup,
    runJobs: engine.runJobs ?? {},
    async abortUpload(upload) {
      const { provider_id: providerId, key } = upload.opened;
      const storage = await source.storageOf(providerId);
      // Of a storage that no site of this node uses any more: a lifecycle rule of its own is what is left.
      if (storage === undefined) return log.warn("upload.left_behind", { key, provider_id: providerId });
      await engine.abortUpload(upload, storage, () => source.credentialsOf(providerId));
    },
    async uploadFate(upload) {
      const { provider_id: providerId } = upload.opened;
      const storage = await source.storageOf(providerId);
      if (storage === undefined) return { kind: "gone" };
      return engine.uploadFate(upload, storage, () => source.credentialsOf(providerId));
    },
    // With its client, which a run by hand has no use for.
    openQueue: async (place) =>
      (await import("./io/queue.ts")).openQueue(place, { credentials: source.credentials }),
    runningJobId: () => running?.claim.job.id ?? null,
    watchJob: (job) => {
      running = job;
    },
    stageLevel,
    runnerId: v4(),
    platform: `${type()} ${release()} ${arch()} node ${process.version}`.slice(0, 120),
    siteRoots: settings.siteRoots,
    uploads: openUploadJournal(state),
    clock,
    log,
  };
  return { daemon, runningJob: () => running };
}
