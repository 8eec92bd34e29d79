// Streams an object to S3 in parts, several at a time, and completes it only when everything about it is known to be
// good; otherwise nothing is left, unless it is worth it to go on with the open upload later.
import { randomUUID } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { BackupError } from "#shared/errors.ts";
import type { CopyPart } from "../plan/copy/split-copies.ts";
import { statusOf, storageError } from "../plan/storage-error.ts";
import { CopyRefused, type CopySource, copyParts } from "./copy-parts.ts";
import { findUploaded, TOKEN_NAME } from "./open-upload.ts";
import { type PartsInput, type SentParts, sending, sendParts, type UploadPlace } from "./upload-parts.ts";

export interface OpenUpload extends UploadPlace {
  /** Marks the object as made of this very upload, for when the answer to its completion is lost. */
  readonly token: string;
}

/** An upload that an earlier attempt has begun, and what of it becomes the object's beginning. */
export interface EarlierUpload extends OpenUpload {
  readonly kept: readonly CompletedPart[];
  readonly keptBytes: number;
  /** Above every number that was ever used in it. */
  readonly firstNumber: number;
}

export interface UploadInput extends Omit<PartsInput, "firstNumber"> {
  readonly bucket: string;
  readonly key: string;
  readonly earlier?: EarlierUpload;
  /** What comes then in the object: ranges of another object in the bucket. */
  readonly copies?: {
    readonly source: CopySource;
    readonly parts: readonly CopyPart[];
    /** As `copyParts` wants them. */
    readonly s3: S3Client;
    readonly patienceMs?: number;
  };
  /** All parts are there and the source has ended well: the last chance to throw. */
  readonly beforeComplete: (object: { readonly sizeBytes: number }) => Promise<void>;
  /** Awaited before the first part is sent. */
  readonly onOpen: (upload: OpenUpload) => Promise<void>;
  /** Whether the upload is to stay open, so that another attempt can go on with it. */
  readonly isWorthKeeping: (error: unknown) => boolean;
  /** It was aborted. If that is impossible now, it stays in the journal. */
  readonly onAborted: (upload: OpenUpload) => Promise<void>;
  readonly onNotAborted: (error: unknown) => Promise<void>;
}

export interface Uploaded {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly parts: number;
}

/** The storage wants all parts but the last to be of one size (Cloudflare R2 does), and says so at the end. */
export class EqualPartsWanted extends Error {
  constructor(cause: unknown) {
    super("The storage wants all parts of an upload to be of one size", { cause });
  }
}

/** The storage does not complete what an earlier attempt began: Ceph wants to be told every part that was ever sent. */
export class ResumeRefused extends Error {
  constructor(cause: unknown) {
    super("The storage does not complete an upload of which parts are left out", { cause });
  }
}

/** R2: "All non-trailing parts must have the same length." */
const SAME_SIZE = /same (length|size)/i;
const ABORT_ATTEMPTS = 2;
const ABORT_MILLISECONDS = 15_000;

/**
 * @throws EqualPartsWanted; ResumeRefused; CopyRefused; BackupError `storage_*`; whatever the source or `beforeComplete` throws; the
 * signal's reason.
 */
export async function uploadMultipart(input: UploadInput): Promise<Uploaded> {
  const upload = input.earlier ?? (await createUpload(input));
  try {
    await input.onOpen(upload);
    const sent = await fillUpload(input, upload);
    await input.beforeComplete(sent);
    input.signal.throwIfAborted();
    const etag = await completeUpload(input, upload, sent);
    return { etag, sizeBytes: sent.sizeBytes, parts: sent.parts.length };
  } catch (thrown) {
    const error = input.signal.aborted ? input.signal.reason : thrown;
    if (isOver(thrown) || !input.isWorthKeeping(error)) {
      // Why the upload failed matters more than that it could not be aborted.
      await abortUpload(input.s3, upload).then(() => input.onAborted(upload), input.onNotAborted);
    }
    throw error;
  }
}

/** There is nothing to go on with: its name is taken, or its parts are of no use. */
function isOver(error: unknown): boolean {
  const cause = error instanceof BackupError ? error.cause : undefined;
  const isRefused = error instanceof EqualPartsWanted || error instanceof ResumeRefused;
  return isRefused || statusOf(cause) === 412;
}

/** Copies and sends at the same time; the first of the two to fail ends the other. */
async function fillUpload(input: UploadInput, upload: OpenUpload): Promise<SentParts> {
  const { concurrency, earlier, copies } = input;
  const parts = copies?.parts ?? [];
  const firstNumber = earlier?.firstNumber ?? 1;
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
  const copy = async (): Promise<CompletedPart[]> =>
    copies === undefined ? [] : await copyParts({ ...copies, firstNumber, concurrency, signal }, upload);
  const [copied, sent] = await Promise.allSettled([
    orEndOther(copy()),
    orEndOther(sendParts({ ...input, firstNumber: firstNumber + parts.length, signal }, upload)),
  ]);
  input.signal.throwIfAborted();
  if (copied.status === "rejected" || sent.status === "rejected") throw failed.signal.reason;
  const copiedBytes = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    parts: [...(earlier?.kept ?? []), ...copied.value, ...sent.value.parts],
    sizeBytes: (earlier?.keptBytes ?? 0) + copiedBytes + sent.value.sizeBytes,
  };
}

/** Ends an upload that was left open; well if it has ended already. @throws BackupError `storage_*`. */
export async function abortUpload(s3: S3Client, upload: UploadPlace): Promise<void> {
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

async function createUpload(input: UploadInput): Promise<OpenUpload> {
  const { s3, bucket, key, signal } = input;
  const token = randomUUID();
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
  return { bucket, key, uploadId, token };
}

async function completeUpload(input: UploadInput, upload: OpenUpload, sent: SentParts): Promise<string> {
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
    const etag = told === "" ? await findUploaded(s3, upload, sent.sizeBytes) : told;
    if (etag !== undefined) return etag;
  } catch (error) {
    // The answer may have been lost and a retry told "no such upload" or "exists": the object itself decides. Asked
    // even when the job was aborted meanwhile: a completed object must not be taken for a failed one.
    const etag = await findUploaded(s3, upload, sent.sizeBytes).catch(() => undefined);
    if (etag !== undefined) return etag;
    throw refusal(error, input) ?? storageError(error, `Completing ${upload.key}`);
  }
  throw new BackupError("storage_failed", { detail: `Completing ${upload.key}: no ETag came` });
}

/** Some storages (R2) take parts of any kind and size, and say only at the end which they do not want. */
function refusal(error: unknown, { copies, earlier }: UploadInput): Error | undefined {
  if (statusOf(error) !== 400) return undefined;
  if (error instanceof Error && SAME_SIZE.test(error.message)) return new EqualPartsWanted(error);
  if (earlier !== undefined) return new ResumeRefused(error);
  if (copies === undefined) return new EqualPartsWanted(error);
  return new CopyRefused("copy_refused", error);
}
