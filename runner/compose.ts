// The composition root: puts the runner's parts together for one enrolled node.
import { arch, release, type } from "node:os";
import { v4 } from "uuid";
import type { Claim } from "#shared/contracts/jobs.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { RunBackup } from "./context.ts";
import type { DaemonDeps } from "./daemon.ts";
import type { StorageCredentials } from "./io/credentials.ts";
import { readIdentity, tokenSigner } from "./io/identity.ts";
import type { Log } from "./io/log.ts";
import { createMasterClient } from "./io/master-client.ts";
import { createConfigSource } from "./io/node-config.ts";
import { openOutbox } from "./io/outbox.ts";
import { openQueue } from "./io/queue.ts";
import { callWithRetry } from "./io/retrying-master.ts";
import { openStateDir } from "./io/state-dir.ts";
import { type OpenUpload, openUploadJournal } from "./io/upload-journal.ts";
import type { NodeConfig } from "#shared/contracts/nodes.ts";
import type { ProgressCounters } from "./plan/progress.ts";
import type { Settings } from "./settings.ts";
import type { StatusDeps } from "./status.ts";

/** The part that makes archives. */
export interface Engine {
  readonly runBackup: RunBackup;
  readonly abortUpload: (
    upload: OpenUpload,
    storage: NodeConfig["storage"],
    credentials: () => Promise<StorageCredentials>,
  ) => Promise<void>;
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

export interface ControlOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly version: string;
  readonly stop: AbortSignal;
  readonly clock?: Clock;
}

export const MASTER_TIMEOUT_MS = 15_000;
const OUTBOX_DEADLINE_MS = 20_000;

/** What every command of an enrolled node needs. Throws `not_enrolled` or `state_dir_unusable`. */
export async function composeControl(options: ControlOptions): Promise<StatusDeps> {
  const { settings, log, version, stop, clock = systemClock } = options;
  const state = await openStateDir(settings.stateDir);
  const identity = await readIdentity(state);
  const master = createMasterClient({
    masterUrl: identity.master_url,
    signToken: tokenSigner(identity, clock.now),
    now: clock.now,
    timeoutMs: MASTER_TIMEOUT_MS,
    userAgent: `backupd/${version}`,
  });
  const source = createConfigSource({ master, ageIdentity: identity.age_identity, clock, stop });
  const patient = callWithRetry(master, { clock, deadlineMs: OUTBOX_DEADLINE_MS });
  const outbox = openOutbox({ dir: state.outboxDir, master: patient, clock, log });
  return { version, state, identity, master, source, outbox };
}

/** The same with the engine, ready to work on jobs. */
export async function composeRunner(options: ControlOptions & { readonly engine: Engine }): Promise<Runner> {
  const { settings, engine, log, clock = systemClock } = options;
  const control = await composeControl(options);
  const { source, state } = control;
  let running: RunningJob | undefined;
  const daemon: DaemonDeps = {
    ...control,
    runBackup: engine.runBackup,
    abortUpload: async (upload) =>
      engine.abortUpload(upload, (await source.current()).storage, source.credentials),
    openQueue: (place) => openQueue(place, { credentials: source.credentials }),
    runningJobId: () => running?.claim.job.id ?? null,
    watchJob: (job) => {
      running = job;
    },
    runnerId: v4(),
    platform: `${type()} ${release()} ${arch()} node ${process.version}`.slice(0, 120),
    siteRoots: settings.siteRoots,
    uploads: openUploadJournal(state.uploadsDir),
    clock,
    log,
  };
  return { daemon, runningJob: () => running };
}
