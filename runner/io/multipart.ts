// Streams an object to S3 in parts, several at a time, and completes it only when everything about it is known to be
// good; otherwise nothing is left, neither an object nor an open upload.
import { randomUUID } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { BackupError } from "#shared/errors.ts";
import type { CopyPart } from "../plan/copy/split-copies.ts";
import { statusOf, storageError } from "../plan/storage-error.ts";
import { CopyRefused, type CopySource, copyParts } from "./copy-parts.ts";
import { type PartsInput, type SentParts, sending, sendParts, type UploadPlace } from "./upload-parts.ts";

/** What the next start needs to know if this process dies: the upload would stay open, and cost money, for ever. */
export type OpenUpload = UploadPlace;

export interface UploadInput extends Omit<PartsInput, "partsBefore"> {
  readonly bucket: string;
  readonly key: string;
  /** What the object begins with: ranges of another object in the bucket. */
  readonly copies?: { readonly source: CopySource; readonly parts: readonly CopyPart[] };
  /** All parts are there and the source has ended well: the last chance to throw. */
  readonly beforeComplete: () => Promise<void>;
  /** Awaited before the first part is sent, and after the upload is completed or aborted. */
  readonly onOpen: (upload: OpenUpload) => Promise<void>;
  readonly onClosed: (upload: OpenUpload) => Promise<void>;
}

export interface Uploaded {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly parts: number;
}

const ABORT_ATTEMPTS = 2;
const ABORT_MILLISECONDS = 15_000;
/** Marks the object as made by this very call, for when the answer to its completion is lost. */
const TOKEN_NAME = "backupd-upload";

/** @throws CopyRefused; BackupError `storage_*`; whatever the source or `beforeComplete` throws; the signal's reason. */
export async function uploadMultipart(input: UploadInput): Promise<Uploaded> {
  const token = randomUUID();
  const upload = await createUpload(input, token);
  try {
    await input.onOpen(upload);
    const sent = await fillUpload(input, upload);
    await input.beforeComplete();
    input.signal.throwIfAborted();
    const etag = await completeUpload(input, upload, sent, token);
    await input.onClosed(upload);
    return { etag, sizeBytes: sent.sizeBytes, parts: sent.parts.length };
  } catch (error) {
    await abortUpload(input.s3, upload).then(
      () => input.onClosed(upload),
      // Still in the journal, so the next start tries again; why the upload failed matters more than this.
      () => undefined,
    );
    input.signal.throwIfAborted();
    throw error;
  }
}

/** Copies and sends at the same time; the first of the two to fail ends the other. */
async function fillUpload(input: UploadInput, upload: OpenUpload): Promise<SentParts> {
  const { source, parts } = input.copies ?? { source: undefined, parts: [] };
  if (source === undefined || parts.length === 0) return await sendParts(input, upload);
  const failed = new AbortController();
  const signal = AbortSignal.any([input.signal, failed.signal]);
  const orEndOther = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  const { s3, concurrency } = input;
  const [copied, sent] = await Promise.allSettled([
    orEndOther(copyParts({ s3, source, parts, concurrency, signal }, upload)),
    orEndOther(sendParts({ ...input, partsBefore: parts.length, signal }, upload)),
  ]);
  input.signal.throwIfAborted();
  if (copied.status === "rejected" || sent.status === "rejected") throw failed.signal.reason;
  const copiedBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    parts: [...copied.value, ...sent.value.parts],
    sizeBytes: copiedBytes + sent.value.sizeBytes,
  };
}

/** Ends an upload that was left open; well if it has ended already. @throws BackupError `storage_*`. */
export async function abortUpload(s3: S3Client, upload: OpenUpload): Promise<void> {
  const command = new AbortMultipartUploadCommand({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
  });
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Its own time limit: the job's signal is what brought us here.
      await s3.send(command, { abortSignal: AbortSignal.timeout(ABORT_MILLISECONDS) });
      return;
    } catch (error) {
      if (statusOf(error) === 404) return;
      if (attempt === ABORT_ATTEMPTS) throw storageError(error, `Aborting ${upload.key}`);
    }
  }
}

async function createUpload(input: UploadInput, token: string): Promise<OpenUpload> {
  const { s3, bucket, key, signal } = input;
  const command = new CreateMultipartUploadCommand({
    Bucket: bucket,
    Key: key,
    ContentType: "application/zstd",
    ChecksumAlgorithm: "CRC32",
    Metadata: { [TOKEN_NAME]: token },
  });
  const what = `Creating ${key}`;
  const { UploadId: uploadId } = await sending(what, signal, () => s3.send(command, { abortSignal: signal }));
  if (uploadId === undefined)
    throw new BackupError("storage_failed", { detail: `${what}: no UploadId came` });
  return { bucket, key, uploadId };
}

async function completeUpload(
  input: UploadInput,
  upload: OpenUpload,
  sent: SentParts,
  token: string,
): Promise<string> {
  const { s3, signal } = input;
  const command = new CompleteMultipartUploadCommand({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    // A name is used once: an archive is never replaced, whatever went wrong with clocks or ids.
    IfNoneMatch: "*",
    MultipartUpload: { Parts: [...sent.parts] },
  });
  try {
    const { ETag: told = "" } = await s3.send(command, { abortSignal: signal });
    // Some storages (Ceph) complete an upload and leave its ETag empty.
    const etag = told === "" ? await etagIfOurs(input, upload, sent, token) : told;
    if (etag !== undefined) return etag;
  } catch (error) {
    // The answer may have been lost and a retry told "no such upload" or "exists": the object itself decides.
    const etag = await etagIfOurs(input, upload, sent, token);
    if (etag !== undefined) return etag;
    // Some storages (R2) copy parts of any size and say only now that all but the last have to be of one.
    if (input.copies !== undefined && statusOf(error) === 400) throw new CopyRefused("copy_refused", error);
    throw storageError(error, `Completing ${upload.key}`);
  }
  throw new BackupError("storage_failed", { detail: `Completing ${upload.key}: no ETag came` });
}

async function etagIfOurs(
  { s3 }: UploadInput,
  upload: OpenUpload,
  sent: SentParts,
  token: string,
): Promise<string | undefined> {
  try {
    // Asked even when the job was aborted meanwhile: a completed object must not be taken for a failed one.
    const abortSignal = AbortSignal.timeout(ABORT_MILLISECONDS);
    const head = await s3.send(new HeadObjectCommand({ Bucket: upload.bucket, Key: upload.key }), {
      abortSignal,
    });
    const ours = head.Metadata?.[TOKEN_NAME] === token && head.ContentLength === sent.sizeBytes;
    return ours ? head.ETag : undefined;
  } catch {
    return undefined; // Not there, or not to be known: the completion's own error tells more.
  }
}
