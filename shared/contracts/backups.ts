// A finished backup: the runner's report (`POST /backups/`) and the record made of it.
import * as z from "zod";
import { Bytes, ErrorReport, Id, Label, Measure, SiteName, Timestamp } from "./common.ts";
import { Stage, Trigger } from "./jobs.ts";
import { Finding, VerifyResult } from "./restores.ts";
import { ProviderId } from "./storage.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const StageTime = z.strictObject({ name: Stage, seconds: Measure });
export type StageTime = z.infer<typeof StageTime>;

export const Warning = z.strictObject({
  code: z.string().max(64),
  message: z.string().max(2000),
});
export type Warning = z.infer<typeof Warning>;

/** Why an archive was packed in full although most backups copy what has not changed. */
export const FullReason = z.enum([
  "no_previous",
  "storage_changed",
  "requested",
  "periodic",
  "nothing_unchanged",
  /** All of the previous archive is smaller than what S3 copies at least, 5 MiB. */
  "below_minimum_part",
  "too_fragmented",
  "previous_unreadable",
  /** Or not to be read: to a node, which may not list, S3 says 403 of both. */
  "source_gone",
  "source_changed",
  "source_cold",
  "copy_refused",
  /** It tried, and failed or took too long. */
  "copy_failed",
]);
export type FullReason = z.infer<typeof FullReason>;

export const Archive = z.strictObject({
  /** docs/FORMAT.md. */
  format: z.literal(1),
  /** Root of trust of the archive: the hash of its index, which has the hash of every frame. */
  sha256_index: Sha256,
  sha256_dump: Sha256,
  etag: z.string().max(200),
  /** Every archive is complete; an incremental one was made by copying parts of the previous one inside S3. */
  mode: z.enum(["full", "incremental"]),
  full_reason: FullReason.nullable(),
  /** Data frames. */
  frames: z.int().min(1),
  /** Bytes of the tar stream, uncompressed. */
  tar_bytes: Bytes,
  index_bytes: Bytes,
  /** Read from the site and dumped, and what that compressed to. */
  bytes_read: Bytes,
  bytes_compressed: Bytes,
  bytes_uploaded: Bytes,
  bytes_copied: Bytes,
  /** Sent by an earlier attempt that was cut short, and used by this one. */
  bytes_resumed: Bytes.default(0),
  /** Sent to the storage, retries included. */
  requests: z.int().min(0),
  files: z.int().min(0),
  entries: z.int().min(1),
  /** Against the previous archive; all are `added` where nothing could be compared. */
  entries_unchanged: z.int().min(0),
  entries_changed: z.int().min(0),
  entries_added: z.int().min(0),
  entries_deleted: z.int().min(0),
  /** Of the entries those that are regular files or hard links; absent in records from before they were counted. */
  files_compared: z
    .strictObject({
      unchanged: z.int().min(0),
      changed: z.int().min(0),
      added: z.int().min(0),
      deleted: z.int().min(0),
    })
    .optional(),
  files_garbled: z
    .int()
    .min(0)
    .optional()
    .describe("Of the files that were read, those that look encrypted; absent in older records"),
  files_bytes: Bytes,
  db_bytes: Bytes,
  db_stored_bytes: Bytes.optional().describe("What the dump compresses to; absent in older records"),
  /** The most memory that the runner has had while it worked on the job: by the kernel, or looked at each 0.1 s. */
  peak_rss_bytes: Bytes,
});
export type Archive = z.infer<typeof Archive>;

const ReportBase = {
  job_id: Id,
  site_id: Id,
  fencing: z.int().min(1),
  started_at: Timestamp,
  finished_at: Timestamp,
  stages: z.array(StageTime).max(50).default([]),
  warnings: z.array(Warning).max(200).default([]),
  /** All of them; `warnings` carries the first 200. */
  warnings_total: z.int().min(0).default(0),
};

export const SuccessReport = z.strictObject({
  ...ReportBase,
  status: z.literal("success"),
  size_bytes: Bytes,
  s3_path: z.string().max(500),
  archive: Archive,
});
export const FailureReport = z.strictObject({
  ...ReportBase,
  status: z.literal("failed"),
  error: ErrorReport,
});
export const SkippedReport = z.strictObject({
  ...ReportBase,
  status: z.literal("skipped"),
  reason: z.string().min(1).max(1000),
});
export const CancelledReport = z.strictObject({ ...ReportBase, status: z.literal("cancelled") });

export const BackupReport = z.discriminatedUnion("status", [
  SuccessReport,
  FailureReport,
  SkippedReport,
  CancelledReport,
]);
export type BackupReport = z.infer<typeof BackupReport>;
export type SuccessReport = z.infer<typeof SuccessReport>;

/** Answer to a report; `backup_id` only for a success. The same for a repeated report. */
export const Reported = z.object({ job_id: Id, state: z.string(), backup_id: Id.nullable() });
export type Reported = z.infer<typeof Reported>;

export const Backup = z.object({
  id: Id,
  job_id: Id,
  site_id: Id,
  site_name: SiteName,
  node_id: Id,
  trigger: Trigger,
  created_at: Timestamp,
  provider_id: ProviderId.describe("The storage that the archive lies in, wherever the site's next ones go"),
  s3_path: z.string(),
  size_bytes: Bytes,
  archive: Archive,
  started_at: Timestamp,
  finished_at: Timestamp,
  stages: z.array(StageTime),
  warnings: z.array(Warning),
  warnings_total: z.int().min(0),
  origin: z
    .enum(["report", "index"])
    .describe("index: no report came, so the archive's own index speaks; what only a report tells is 0"),
  hold: z
    .object({ at: Timestamp, by: z.string(), reason: z.string().nullable() })
    .nullable()
    .describe("While it is there, nothing deletes the backup"),
  verified_at: Timestamp.nullable().describe("The newest verification that found nothing wrong"),
  proved_at: Timestamp.nullable().describe("The newest one of them that was deep: it restored everything"),
  proof: VerifyResult.nullable().describe("What that one measured"),
  verification_failed: z
    .object({
      at: Timestamp,
      job_id: Id.nullable().describe("null: the comparison of records and storage found it"),
      deep: z.boolean(),
      error: ErrorReport,
      findings: z.array(Finding),
    })
    .nullable()
    .describe("The newest verification that found something wrong, until one as deep finds nothing"),
});
export type Backup = z.infer<typeof Backup>;

export const PutHold = z.strictObject({ held: z.boolean(), reason: Label.optional() });

export const DownloadQuery = z.strictObject({
  expires_seconds: z.coerce.number().int().min(60).max(604_800).default(3_600),
});
export const Download = z.object({
  backup_id: Id,
  url: z.url(),
  expires_at: Timestamp,
  file_name: z.string(),
  size_bytes: Bytes,
});
export type Download = z.infer<typeof Download>;
