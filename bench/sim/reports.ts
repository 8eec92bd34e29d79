// What a simulated run reports.
import type { BackupReport } from "#shared/contracts/backups.ts";

export interface ReportedRun {
  readonly jobId: string;
  readonly siteId: string;
  readonly fencing: number;
  readonly s3Path: string;
  readonly startedAtMs: number;
}

type Common = Pick<
  BackupReport,
  "job_id" | "site_id" | "fencing" | "started_at" | "finished_at" | "stages" | "warnings" | "warnings_total"
>;

export function commonOf(run: ReportedRun, atMs: number): Common {
  return {
    job_id: run.jobId,
    site_id: run.siteId,
    fencing: run.fencing,
    started_at: new Date(run.startedAtMs).toISOString(),
    finished_at: new Date(atMs).toISOString(),
    stages: [],
    warnings: [],
    warnings_total: 0,
  };
}

export function successOf(
  run: ReportedRun,
  sizeBytes: number,
  atMs: number,
): BackupReport & { status: "success" } {
  const hash = "0".repeat(64);
  return {
    ...commonOf(run, atMs),
    status: "success",
    size_bytes: sizeBytes,
    s3_path: run.s3Path,
    archive: {
      format: 1,
      sha256_index: hash,
      sha256_dump: hash,
      etag: "",
      mode: "incremental",
      full_reason: null,
      frames: 1,
      tar_bytes: sizeBytes,
      index_bytes: 0,
      bytes_read: 0,
      bytes_compressed: 0,
      bytes_uploaded: 0,
      bytes_copied: sizeBytes,
      bytes_resumed: 0,
      requests: 0,
      files: 1,
      entries: 1,
      entries_unchanged: 1,
      entries_changed: 0,
      entries_added: 0,
      entries_deleted: 0,
      files_bytes: sizeBytes,
      db_bytes: 0,
      peak_rss_bytes: 0,
    },
  };
}
