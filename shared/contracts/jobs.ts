// A job: one attempt-counted piece of work for a node, leased to one runner at a time.
import * as z from "zod";
import { Bytes, ErrorReport, Id, Measure, SiteName, Timestamp } from "./common.ts";
import {
  Finding,
  RestoreResult,
  SourceBackup,
  StartRestore,
  StartUndo,
  StartVerify,
  VerifyResult,
} from "./restores.ts";
import { ProviderId } from "./storage.ts";

/** What a job does to its site. `undo` puts back what the site's last restore replaced. */
export const JOB_TYPES = ["backup", "restore", "undo", "verify"] as const;
export const JobType = z.enum(JOB_TYPES);
export type JobType = z.infer<typeof JobType>;

export const JOB_STATES = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
  "expired",
] as const;
export const JobState = z.enum(JOB_STATES);
export type JobState = z.infer<typeof JobState>;

export const STAGES = [
  "preflight",
  "quota",
  "dump",
  "plan",
  "archive",
  "complete",
  // Of restores and verifications.
  "read",
  "extract",
  "safety",
  "swap",
  "import",
  "url",
  "compare",
  "boot",
  "check",
  "undo",
  // Of every job.
  "report",
  "cleanup",
] as const;
export const Stage = z.enum(STAGES);
export type Stage = z.infer<typeof Stage>;

export const Trigger = z.enum(["schedule", "manual"]);
export type Trigger = z.infer<typeof Trigger>;

export const Progress = z.strictObject({
  stage: Stage,
  /** Bytes of the site read so far and in all, when known; the database counts as its dump's size. */
  bytes_done: Bytes,
  bytes_total: Bytes.nullable(),
  bytes_uploaded: Bytes,
  percent: Measure.max(100).nullable(),
  bytes_per_second: Measure,
  eta_seconds: Measure.nullable(),
});
export type Progress = z.infer<typeof Progress>;

/** What was asked for, of the type of the job; a backup has `full` instead. */
export const JobRequest = z.discriminatedUnion("type", [
  StartRestore.extend({ type: z.literal("restore") }),
  StartUndo.extend({ type: z.literal("undo") }),
  StartVerify.extend({ type: z.literal("verify") }),
]);
export type JobRequest = z.infer<typeof JobRequest>;

export const JobResult = z.object({
  restore: RestoreResult.optional().describe("Of a restore, and of its undoing"),
  verify: VerifyResult.optional(),
});
export type JobResult = z.infer<typeof JobResult>;

export const Job = z.object({
  id: Id,
  type: JobType,
  site_id: Id,
  site_name: SiteName,
  node_id: Id,
  trigger: Trigger,
  correlation_id: z.string().nullable().describe("Of the call that started it, as in every log"),
  full: z.boolean().describe("Pack everything anew instead of copying what has not changed"),
  state: JobState,
  created_at: Timestamp,
  scheduled_at: Timestamp.nullable(),
  deadline_at: Timestamp.describe("A job not started by then expires"),
  started_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  attempt: z.int().min(0),
  max_attempts: z.int().min(1),
  progress: Progress.nullable(),
  cancel_requested: z.boolean(),
  backup_id: Id.nullable().describe("The backup that it made"),
  source_backup_id: Id.nullable().describe("The backup that it restores or verifies"),
  request: JobRequest.nullable(),
  result: JobResult.nullable(),
  findings: z.array(Finding).describe("What a failed verification found; the first of them"),
  warnings: z.array(Finding).describe("What went well, but not as one might expect; the first of them"),
  reason: z.string().nullable().describe("Why it was skipped, cancelled or expired"),
  error: ErrorReport.nullable(),
});
export type Job = z.infer<typeof Job>;

/** A schedule backs a site up, or proves its newest backup. */
export const ScheduledJobType = z.enum(["backup", "verify"]);
export type ScheduledJobType = z.infer<typeof ScheduledJobType>;

/** The body of every message in a node's queue. A scheduled one carries no job id: it follows from the rest. */
export const JobMessage = z.discriminatedUnion("trigger", [
  z.object({
    v: z.literal(1),
    type: JobType,
    trigger: z.literal("manual"),
    site_id: Id,
    job_id: Id,
    /** Messages of older Masters have none. */
    correlation_id: z.string().max(200).optional(),
  }),
  z.object({
    v: z.literal(1),
    type: ScheduledJobType,
    trigger: z.literal("schedule"),
    site_id: Id,
    scheduled_time: z.iso.datetime(),
    execution_id: z.string().max(200),
  }),
]);
export type JobMessage = z.infer<typeof JobMessage>;

export const ClaimJob = z.strictObject({
  site_id: Id,
  /** Random per process: tells two runners with one identity apart. */
  runner_id: Id,
  trigger: Trigger,
  /** As in the message: of a job that is made at its first claim. */
  type: ScheduledJobType.default("backup"),
  /** Needed for `schedule`: the job is made at its first claim and its id must follow from it. */
  scheduled_time: z.iso.datetime().optional(),
  /** A run by hand on the node (`run-once`) makes its job here. */
  create: z.boolean().default(false),
  /** With `create`: as in the call that starts a backup. */
  full: z.boolean().default(false),
  /** An earlier claim's path at which this node has an upload open that it wants to go on with. */
  resume_path: z.string().max(500).optional(),
});
export type ClaimJob = z.infer<typeof ClaimJob>;

/** The archive that this backup may copy from. */
export const PreviousBackup = z.object({
  backup_id: Id,
  s3_path: z.string(),
  size_bytes: Bytes,
  etag: z.string(),
  sha256_index: z.string().regex(/^[0-9a-f]{64}$/),
  /** Incremental ones in a row, this one included. */
  backups_since_full: z.int().min(0),
});
export type PreviousBackup = z.infer<typeof PreviousBackup>;

export const Claim = z.object({
  job: Job,
  /** Grows with every claim of the job; every later call carries it. */
  fencing: z.int().min(1),
  lease_seconds: z.number().positive(),
  lease_expires_at: Timestamp,
  /** Where this attempt's archive goes, if it makes one; the time in its name is the Master's, not the node's. */
  s3_path: z.string(),
  /** In which of the storages of the node's config; absent: the default one. */
  provider_id: ProviderId.optional(),
  /** Of a restore or a verification: the archive to read. */
  source: SourceBackup.optional(),
  /** The site's newest backup, if this node made one. */
  previous: PreviousBackup.optional(),
  /** Why there is no `previous` although the site has backups. */
  no_previous: z.enum(["storage_changed"]).optional(),
});
export type Claim = z.infer<typeof Claim>;

export const PatchJob = z.strictObject({
  fencing: z.int().min(1),
  progress: Progress.optional(),
  /** Gives the lease back without a result, to be claimed again later. */
  release: ErrorReport.optional(),
});
export type PatchJob = z.infer<typeof PatchJob>;

export const PatchedJob = z.object({
  state: JobState,
  cancel_requested: z.boolean(),
  lease_expires_at: Timestamp.nullable(),
});
export type PatchedJob = z.infer<typeof PatchedJob>;

export const StartedJob = z.object({ job_id: Id, state: JobState });
/** Strict, so that a misspelt option is refused instead of ignored. */
export const StartBackup = z.strictObject({
  full: z.boolean().default(false).describe("Pack everything anew instead of copying what has not changed"),
});

export const BackupStatus = z.object({
  site_id: Id,
  active: Job.nullable(),
  last: Job.nullable(),
});
