// What a job gets to work with, and what it must give back: the seam between the runner's control side (queue,
// lease, reports) and the engines that make archives and read them.
import type { BackupReport } from "#shared/contracts/backups.ts";
import type { Claim, JobType } from "#shared/contracts/jobs.ts";
import type { NodeConfig, NodeStorage } from "#shared/contracts/nodes.ts";
import type { JobReport } from "#shared/contracts/restores.ts";
import type { NodeSite } from "#shared/contracts/sites.ts";
import type { StorageCredentials } from "./io/credentials.ts";
import type { Log } from "./io/log.ts";
import type { MasterClient } from "./io/master-client.ts";
import type { ConfigSource } from "./io/node-config.ts";
import type { PackThread } from "./io/pack-thread.ts";
import type { UploadJournal } from "./io/upload-journal.ts";
import type { LookedAt } from "./look-at-site.ts";
import type { ProgressCounters } from "./plan/progress.ts";
import type { StageClock } from "./stage-clock.ts";

/** The right to work on the job, as long as the Master and the clock grant it. */
export interface Lease {
  /** Aborts with a BackupError: `cancelled` or `lease_lost`. */
  readonly signal: AbortSignal;
  /** Proves the lease now; awaited right before anything that cannot be taken back. Throws BackupError. */
  renew(): Promise<void>;
}

/** Of a backup. */
export interface BegunBackup {
  /** Whoever started it ends it. */
  readonly packThread?: PackThread | undefined;
  readonly lookedAt: Promise<LookedAt>;
}

export interface JobContext {
  readonly claim: Claim;
  readonly site: NodeSite;
  /** As fetched right before the job. */
  readonly config: NodeConfig;
  /** Where the claim says that this job's archive goes. */
  readonly storage: NodeStorage;
  readonly lease: Lease;
  /** Lease lost, cancelled, or the runner is to stop: always aborts with a BackupError. */
  readonly signal: AbortSignal;
  readonly progress: ProgressCounters;
  /** Times the stages and shows which one runs; the times are reported however the job ends. */
  readonly stages: StageClock;
  /** Exists, empty, 0700; removed afterwards by the caller. */
  readonly spoolDir: string;
  /** `<state-dir>/sites/<site_id>.env`: what the operator wrote to help with this site; need not exist. */
  readonly siteEnvFile: string;
  /** `<state-dir>/index/<site_id>`: the index of the newest archive of this site, unless it is lost or old. */
  readonly indexCacheFile: string;
  /** `<state-dir>/storage-quirks.json`; need not exist. */
  readonly quirksFile: string;
  /** `<state-dir>/restores`: what restores in place remember. */
  readonly restoresDir: string;
  /** Retries what is worth it; pass `signal` with each call. */
  readonly master: MasterClient;
  /** Of that storage, for an SDK client's `credentials`: always fresh, also in the middle of a long upload. */
  readonly s3Credentials: () => Promise<StorageCredentials>;
  /** To abort what an earlier attempt has left open in another storage. */
  readonly storages: Pick<ConfigSource, "storageOf" | "credentialsOf">;
  readonly uploads: UploadJournal;
  /** What was begun before the job was claimed. */
  readonly begun?: BegunBackup;
  readonly log: Log;
  readonly now: () => Date;
}

/** Restores, undoes or verifies, whatever the claim's job asks for. Throws BackupError, as a backup does. */
export type RunJob = (job: JobContext) => Promise<JobReport>;
/** What this runner can do besides backups; a job of another type is reported as failed. */
export type JobRuns = Readonly<Partial<Record<Exclude<JobType, "backup">, RunJob>>>;

/** Backs one site up. Throws BackupError; errors become reports or releases in attempt.ts. */
export type RunBackup = (job: JobContext) => Promise<BackupReport>;
