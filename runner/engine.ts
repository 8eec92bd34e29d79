// The engine as the control side sees it: one backup, and the end of an upload that a crash left open.
import type { Engine } from "./compose.ts";
import { abortUpload } from "./io/multipart.ts";
import { makeS3 } from "./io/s3-client.ts";
import { runBackup } from "./run-backup.ts";

export const engine: Engine = {
  runBackup,
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
