// Restores and verifications: what an operator asks for, what the claim gives the runner, and what it reports.
import * as z from "zod";
import { Bytes, ErrorReport, Id, Measure, Timestamp } from "./common.ts";

/** The three things an archive holds: database.sql, wp-content/, wp-config.php. */
export const RestorePart = z.enum(["db", "files", "config"]);
export type RestorePart = z.infer<typeof RestorePart>;

/** Strict, so that a misspelt option is refused instead of ignored. */
export const StartRestore = z.strictObject({
  only: z.array(RestorePart).min(1).max(3).optional().describe("Everything, if absent"),
  paths: z
    .array(z.string().min(1).max(4096))
    .max(1000)
    .default([])
    .describe("Only these files and directories, as named in the archive: wp-content/uploads/2026"),
  site_id: Id.optional().describe("Restore into this site instead of the one that was backed up"),
  to: z
    .string()
    .startsWith("/")
    .max(4096)
    .optional()
    .describe("Extract into this new or empty directory on the node instead of into the site"),
  new_url: z.url().max(2000).optional().describe("Rewrite the site's address in the database to this one"),
  dry_run: z.boolean().default(false).describe("Say what would happen and change nothing"),
});
export type StartRestore = z.infer<typeof StartRestore>;

/** Puts back what the site's last restore replaced. */
export const StartUndo = z.strictObject({ dry_run: z.boolean().default(false) });
export type StartUndo = z.infer<typeof StartUndo>;

export const StartVerify = z.strictObject({
  deep: z
    .boolean()
    .default(false)
    .describe("Prove it: import the dump into a throw-away server and compare everything by hash"),
  boot: z
    .boolean()
    .default(false)
    .describe("With deep: also run the restored WordPress in a cage, and ask it for its front page"),
});
export type StartVerify = z.infer<typeof StartVerify>;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The archive to read, in the claim of a restore or verify job. */
export const SourceBackup = z.object({
  backup_id: Id,
  site_id: Id,
  site_name: z.string(),
  created_at: Timestamp,
  s3_path: z.string(),
  size_bytes: Bytes,
  etag: z.string(),
  sha256_index: Sha256,
  sha256_dump: Sha256,
  /** Presigned for GET with ranges: the archive may be another node's, whose prefix this node cannot read. */
  url: z.url(),
  url_expires_at: Timestamp,
});
export type SourceBackup = z.infer<typeof SourceBackup>;

/** Names the job that the calling node holds, if the backup is another node's. */
export const SourceQuery = z.strictObject({ job_id: Id.optional() });

const Reading = {
  /** From the storage, and with how many requests. */
  bytes_downloaded: Bytes,
  requests: z.int().min(0),
  files: z.int().min(0),
  files_bytes: Bytes,
  db_bytes: Bytes,
  tables: z.int().min(0),
};

export const RestoreResult = z.strictObject({
  ...Reading,
  dry_run: z.boolean(),
  /** Until then `restore --undo` can put back what was there; null if nothing was replaced. */
  undo_until: Timestamp.nullable(),
  /** Of the old tree and the safety dump, kept for that. */
  kept_bytes: Bytes,
  /** Changing the site's address: null if it was not asked for. A dry run counts the same in the dump. */
  url_change: z
    .strictObject({
      from: z.string(),
      to: z.string(),
      tables: z.int().min(0),
      rows: z.int().min(0),
      values: z.int().min(0),
    })
    .nullable(),
  /** Restored, or in a dry run to be restored: the first names, for people. */
  sample: z.array(z.string().max(4096)).max(50),
});
export type RestoreResult = z.infer<typeof RestoreResult>;

export const VerifyResult = z.strictObject({
  ...Reading,
  deep: z.boolean(),
  frames: z.int().min(0),
  entries: z.int().min(0),
  rows: z.int().min(0).nullable().describe("In all tables after the import; null unless deep"),
  /** Measured: download, extraction and import of the whole site (RTO); null unless deep. */
  restore_seconds: Measure.nullable(),
  boot_status: z
    .int()
    .min(0)
    .nullable()
    .describe("What the restored WordPress answered under PHP's own server; null where it was not tried"),
  boot_seconds: Measure.nullable().default(null).describe("How long that answer took"),
  boot_skipped: z
    .string()
    .max(500)
    .nullable()
    .default(null)
    .describe("Why it was not tried, if that was asked for"),
});
export type VerifyResult = z.infer<typeof VerifyResult>;

/** What a failed verification found, for the record and the operator. */
export const Finding = z.strictObject({ code: z.string().max(64), message: z.string().max(2000) });
export type Finding = z.infer<typeof Finding>;

/** What a node found when it verified a backup of its own by hand, without a job. */
export const VerificationReport = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal("good"), verify: VerifyResult }),
  z.strictObject({
    status: z.literal("failed"),
    deep: z.boolean(),
    findings: z.array(Finding).min(1).max(200),
  }),
]);
export type VerificationReport = z.infer<typeof VerificationReport>;

const ReportBase = {
  site_id: Id,
  fencing: z.int().min(1),
  started_at: Timestamp,
  finished_at: Timestamp,
  stages: z.array(z.strictObject({ name: z.string().max(32), seconds: Measure })).max(50),
  warnings: z.array(Finding).max(200).default([]),
  warnings_total: z.int().min(0).default(0),
};

/** `POST /jobs/{id}/report`: how a restore, undo or verify job ended. Idempotent, as the report of a backup is. */
export const JobReport = z.discriminatedUnion("status", [
  z.strictObject({
    ...ReportBase,
    status: z.literal("success"),
    restore: RestoreResult.optional(),
    verify: VerifyResult.optional(),
  }),
  z.strictObject({
    ...ReportBase,
    status: z.literal("failed"),
    error: ErrorReport,
    findings: z.array(Finding).max(200).default([]),
  }),
  z.strictObject({ ...ReportBase, status: z.literal("cancelled") }),
]);
export type JobReport = z.infer<typeof JobReport>;
