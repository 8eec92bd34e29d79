// Makes the first parts of an open multipart upload out of ranges of another object, inside the storage. Nothing of
// them passes through this node.
import {
  type CompletedPart,
  HeadObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { FullReason } from "#shared/contracts/backups.ts";
import { BackupError } from "#shared/errors.ts";
import type { CopyPart } from "../plan/copy/split-copies.ts";
import { copyRefusal, statusOf, storageError } from "../plan/storage-error.ts";
import type { UploadPlace } from "./upload-parts.ts";

export interface CopySource {
  readonly key: string;
  /** The object that the plan was made for has this one. */
  readonly etag: string;
}

export interface CopyInput {
  /** One that bears long silence: no answer comes before the part is copied. */
  readonly s3: S3Client;
  readonly source: CopySource;
  readonly parts: readonly CopyPart[];
  readonly firstNumber: number;
  /** Copies under way at once. */
  readonly concurrency: number;
  /** For one part, all tries together. */
  readonly patienceMs?: number;
  readonly signal: AbortSignal;
}

/** Silence in which a connection counts as lost: a storage that copies 1 MB/s has answered before. */
export const COPY_SILENCE_MS: number = 5 * 60_000;
/** Whoever takes longer for a part of 256 MiB is slower than sending it would be. */
const COPY_PATIENCE_MS = 2 * COPY_SILENCE_MS;

/** The storage does not copy from that object, now or ever; a full archive does without it. */
export class CopyRefused extends Error {
  readonly reason: FullReason;
  constructor(reason: FullReason, cause: unknown) {
    super(`The storage does not copy from the previous archive: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** Parts of the upload from `firstNumber` on. @throws CopyRefused; BackupError `storage_*`; the signal's reason. */
export async function copyParts(input: CopyInput, upload: UploadPlace): Promise<CompletedPart[]> {
  const done: CompletedPart[] = [];
  const todo = input.parts.entries();
  const failed = new AbortController();
  const signal = AbortSignal.any([input.signal, failed.signal]);
  const work = async (): Promise<void> => {
    for (const [index, part] of todo) {
      signal.throwIfAborted();
      done[index] = await copyPart({ ...input, signal }, upload, input.firstNumber + index, part);
    }
  };
  const workers = Array.from({ length: Math.min(input.concurrency, input.parts.length) }, async () => {
    try {
      await work();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(workers);
  failed.signal.throwIfAborted();
  return done;
}

async function copyPart(
  input: CopyInput,
  upload: UploadPlace,
  number: number,
  { offset, bytes }: CopyPart,
): Promise<CompletedPart> {
  const { s3, source, signal, patienceMs = COPY_PATIENCE_MS } = input;
  const command = new UploadPartCopyCommand({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumber: number,
    CopySource: `${upload.bucket}/${source.key.split("/").map(encodeURIComponent).join("/")}`,
    CopySourceRange: `bytes=${offset}-${offset + bytes - 1}`,
    CopySourceIfMatch: source.etag,
  });
  const what = `Copying part ${number} of ${upload.key}`;
  const patience = AbortSignal.timeout(patienceMs);
  try {
    const abortSignal = AbortSignal.any([signal, patience]);
    const { CopyPartResult: result } = await s3.send(command, { abortSignal });
    if (result?.ETag === undefined) {
      throw new BackupError("storage_failed", { detail: `${what}: no ETag came` });
    }
    const { LastModified: _time, ...part } = result;
    return { ...part, PartNumber: number };
  } catch (error) {
    signal.throwIfAborted();
    const reason = patience.aborted ? "copy_failed" : copyRefusal(error);
    if (reason === undefined) throw storageError(error, what);
    // A 403 says either, to whoever may not list: the object is gone, or it may be read and not copied (Ceph with STS).
    const isRefused =
      statusOf(error) === 403 && reason === "source_gone" && (await isReadable(input, upload));
    throw new CopyRefused(isRefused ? "copy_refused" : reason, error);
  }
}

async function isReadable({ s3, source, signal }: CopyInput, { bucket }: UploadPlace): Promise<boolean> {
  const command = new HeadObjectCommand({ Bucket: bucket, Key: source.key });
  return await s3.send(command, { abortSignal: signal }).then(
    () => true,
    () => false,
  );
}
