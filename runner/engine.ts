// The engine as the control side sees it: one function for each type of job, and what became of an upload that an
// earlier backup left open.
import type { S3Client } from "@aws-sdk/client-s3";
import type { Engine } from "./compose.ts";
import type { LedgerHead } from "./io/ledger-head.ts";
import { abortUpload } from "./io/multipart.ts";
import { findUploaded, listParts } from "./io/open-upload.ts";
import { makeS3 } from "./io/s3-client.ts";
import { placeOf } from "./resume-upload.ts";
import { runBackup } from "./run-backup.ts";
import type { UploadFate } from "./settle-uploads.ts";

export const engine: Engine = {
  runBackup,
  // Loaded when a job needs them: a runner that only backs up does not carry them in its memory.
  runJobs: {
    restore: async (job) => (await import("./restore-job.ts")).runRestoreJob(job),
    undo: async (job) => (await import("./undo-job.ts")).runUndoJob(job),
    verify: async (job) => (await import("./verify-job.ts")).runVerifyJob(job),
  },
  abortUpload: (ledger, storage, credentials) =>
    withS3(makeS3(storage, credentials), (s3) => abortUpload(s3, placeOf(ledger.opened))),
  uploadFate: (ledger, storage, credentials) =>
    withS3(makeS3(storage, credentials), (s3) => uploadFate(s3, ledger)),
};

async function withS3<T>(s3: S3Client, work: (s3: S3Client) => Promise<T>): Promise<T> {
  try {
    return await work(s3);
  } finally {
    s3.destroy();
  }
}

/** @throws BackupError `storage_*`. */
async function uploadFate(s3: S3Client, { opened, reports }: LedgerHead): Promise<UploadFate> {
  if ((await listParts(s3, placeOf(opened))) !== undefined) return { kind: "open" };
  for (const report of reports.toReversed()) {
    const etag = await findUploaded(s3, { ...placeOf(opened), token: opened.token }, report.size_bytes);
    if (etag === undefined) continue;
    return { kind: "completed", report: { ...report, archive: { ...report.archive, etag } } };
  }
  return { kind: "gone" };
}
