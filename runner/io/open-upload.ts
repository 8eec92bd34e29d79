// What the storage says about an upload that an earlier attempt left open: what is in it, or what became of it.
import { HeadObjectCommand, ListPartsCommand, type S3Client } from "@aws-sdk/client-s3";
import { BackupError } from "#shared/errors.ts";
import { statusOf, storageError } from "../plan/storage-error.ts";
import type { OpenUpload } from "./multipart.ts";
import type { UploadPlace } from "./upload-parts.ts";

/** Metadata of every archive: which upload it was made of. */
export const TOKEN_NAME = "backupd-upload";
const HEAD_MILLISECONDS = 15_000;

export interface ListedPart {
  readonly etag: string;
  readonly bytes: number;
}

/** By number; undefined if there is no such upload, or none that may be looked at. @throws BackupError `storage_*`. */
export async function listParts(
  s3: S3Client,
  upload: UploadPlace,
  signal?: AbortSignal,
): Promise<Map<number, ListedPart> | undefined> {
  const parts = new Map<number, ListedPart>();
  let after: string | undefined;
  try {
    for (;;) {
      const answer = await s3.send(
        new ListPartsCommand({
          Bucket: upload.bucket,
          Key: upload.key,
          UploadId: upload.uploadId,
          ...(after === undefined ? {} : { PartNumberMarker: after }),
        }),
        signal === undefined ? {} : { abortSignal: signal },
      );
      for (const { PartNumber: number, ETag: etag, Size: bytes } of answer.Parts ?? []) {
        if (number !== undefined && etag !== undefined && bytes !== undefined) {
          parts.set(number, { etag, bytes });
        }
      }
      const next = answer.NextPartNumberMarker;
      if (answer.IsTruncated !== true || next === undefined || next === after) return parts;
      after = next;
    }
  } catch (error) {
    signal?.throwIfAborted();
    const status = statusOf(error);
    if (status === 404 || status === 501) return undefined;
    throw storageError(error, `Listing the parts of ${upload.key}`);
  }
}

/** The ETag of the object that this upload became, if it has that size. @throws BackupError `storage_*`. */
export async function findUploaded(
  s3: S3Client,
  { bucket, key, token }: Omit<OpenUpload, "uploadId">,
  sizeBytes: number,
): Promise<string | undefined> {
  try {
    const abortSignal = AbortSignal.timeout(HEAD_MILLISECONDS);
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
    const isOurs = head.Metadata?.[TOKEN_NAME] === token && head.ContentLength === sizeBytes;
    if (isOurs && head.ETag === undefined) {
      throw new BackupError("storage_failed", { detail: `Looking at ${key}: no ETag came` });
    }
    return isOurs ? head.ETag : undefined;
  } catch (error) {
    // Without the right to list, S3 says 403 of an object that is not there.
    const status = statusOf(error);
    if (status === 404 || status === 403) return undefined;
    throw storageError(error, `Looking at ${key}`);
  }
}
