// What the storage knows of an upload that an earlier attempt left open, and its end.
import type { S3Client } from "@aws-sdk/client-s3";
import type { Engine } from "./compose.ts";
import { abortUpload } from "./io/multipart.ts";
import { findUploaded, listParts } from "./io/open-upload.ts";
import { makeS3 } from "./io/s3-client.ts";
import { placeOf } from "./resume-upload.ts";

/** @throws BackupError `storage_*`. */
export const abortLeftUpload: Engine["abortUpload"] = async ({ opened }, storage, credentials) =>
  await withS3(makeS3(storage, credentials), (s3) => abortUpload(s3, placeOf(opened)));

/** @throws BackupError `storage_*`. */
export const uploadFate: Engine["uploadFate"] = async ({ opened, reports }, storage, credentials) =>
  await withS3(makeS3(storage, credentials), async (s3) => {
    if ((await listParts(s3, placeOf(opened))) !== undefined) return { kind: "open" };
    for (const report of reports.toReversed()) {
      const etag = await findUploaded(s3, { ...placeOf(opened), token: opened.token }, report.size_bytes);
      if (etag === undefined) continue;
      return { kind: "completed", report: { ...report, archive: { ...report.archive, etag } } };
    }
    return { kind: "gone" };
  });

async function withS3<T>(s3: S3Client, work: (s3: S3Client) => Promise<T>): Promise<T> {
  try {
    return await work(s3);
  } finally {
    s3.destroy();
  }
}
