// The engine as the control side sees it: one function for each type of job, and the end of an upload that a crash left open.
import type { Engine } from "./compose.ts";
import { abortUpload } from "./io/multipart.ts";
import { makeS3 } from "./io/s3-client.ts";
import { runBackup } from "./run-backup.ts";

export const engine: Engine = {
  runBackup,
  // Loaded when a job needs them: a runner that only backs up does not carry them in its memory.
  runJobs: {
    restore: async (job) => (await import("./restore-job.ts")).runRestoreJob(job),
    undo: async (job) => (await import("./undo-job.ts")).runUndoJob(job),
    verify: async (job) => (await import("./verify-job.ts")).runVerifyJob(job),
  },
  abortUpload: async (upload, storage, credentials) => {
    const s3 = makeS3(storage, credentials);
    try {
      const { bucket, key, upload_id: uploadId } = upload;
      await abortUpload(s3, { bucket, key, uploadId });
    } finally {
      s3.destroy();
    }
  },
};
