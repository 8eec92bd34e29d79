// Reads the index of an archive in the storage, with one ranged GET or two, and trusts it only if its hash is the one
// in the Master's record.
import { hash } from "node:crypto";
import { GetObjectCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { BackupError } from "#shared/errors.ts";
import { checkTrailer, locateArchiveParts, missingRange, TAIL_BYTES } from "#shared/format/tail.ts";
import { decodeTrailer } from "#shared/format/trailer.ts";

export interface StoredArchive {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly sha256Index: string;
}

/** The index frames as stored. @throws BackupError `archive_corrupt`; what the SDK throws; the signal's reason. */
export async function readIndex(
  s3: S3Client,
  archive: StoredArchive,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const tailOffset = Math.max(0, archive.sizeBytes - TAIL_BYTES);
  const tail = await readRange(s3, archive, tailOffset, archive.sizeBytes - tailOffset, signal);
  const layout = locateArchiveParts(tail, archive.sizeBytes);
  const { index, trailer } = layout;
  const at = (offset: number): number => offset - tailOffset;
  checkTrailer(decodeTrailer(tail.subarray(at(trailer.offset), at(trailer.offset) + trailer.bytes)), layout);
  const missing = missingRange(layout, tail.length);
  const before =
    missing === undefined ? [] : [await readRange(s3, archive, missing.offset, missing.bytes, signal)];
  const inTail = tail.subarray(Math.max(0, at(index.offset)), at(index.offset + index.bytes));
  const stored = Buffer.concat([...before, inTail]).subarray(0, index.bytes);
  if (hash("sha256", stored, "hex") !== archive.sha256Index) {
    throw new BackupError("archive_corrupt", {
      detail: `The index of ${archive.key} is not the one on record`,
    });
  }
  return stored;
}

/**
 * Whether the object at that key is still the one on record. Asked right before copying, because some storages (Ceph) heed
 * no if-match on copies. @throws what the SDK throws.
 */
export async function isThatObject(
  s3: S3Client,
  { bucket, key, etag, sizeBytes }: StoredArchive,
  signal: AbortSignal,
): Promise<boolean> {
  const command = new HeadObjectCommand({ Bucket: bucket, Key: key });
  const head = await s3.send(command, { abortSignal: signal });
  return head.ContentLength === sizeBytes && bare(head.ETag ?? "") === bare(etag);
}

/** Storages quote an ETag in one answer and not in the other. */
function bare(etag: string): string {
  return etag.replaceAll('"', "");
}

async function readRange(
  s3: S3Client,
  { bucket, key, etag }: StoredArchive,
  offset: number,
  bytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const range = `bytes=${offset}-${offset + bytes - 1}`;
  const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, IfMatch: etag });
  const { Body: body } = await s3.send(command, { abortSignal: signal });
  const read = Buffer.from((await body?.transformToByteArray()) ?? []);
  if (read.length !== bytes) {
    throw new BackupError("archive_corrupt", { detail: `${key} gave ${read.length} bytes for ${range}` });
  }
  return read;
}
