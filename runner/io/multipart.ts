// Streams an object to S3 in parts, several at a time, and completes it only when everything about it is known to be
// good; otherwise nothing is left, neither an object nor an open upload.
import { hash, randomUUID } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { BackupError } from "#shared/errors.ts";
import { firstPartBytes, MAX_PARTS, partBytes, partsAtOnce } from "../plan/part-sizes.ts";
import { statusOf, storageError } from "../plan/storage-error.ts";
import { freeBuffer } from "./free-buffer.ts";
import { createPartCutter, type Part } from "./part-cutter.ts";

/** What the next start needs to know if this process dies: the upload would stay open, and cost money, for ever. */
export interface OpenUpload {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

export interface UploadInput {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly key: string;
  /** At least one byte in all. Each frame's memory is freed once it is copied. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** What the object will probably not exceed; more is possible, but takes larger parts towards the end. */
  readonly expectedBytes: number;
  /** Parts on their way at once, at most; fewer when parts are large. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Bytes that the storage has acknowledged so far. */
  readonly onUploaded?: (total: number) => void;
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

/** Of parts on their way; the one being filled comes on top. */
const PARTS_MEMORY_BYTES = 64 * 1_048_576;
const ABORT_ATTEMPTS = 2;
const ABORT_MILLISECONDS = 15_000;
/** Marks the object as made by this very call, for when the answer to its completion is lost. */
const TOKEN_NAME = "backupd-upload";

/** @throws BackupError `storage_*`; whatever the source or `beforeComplete` throws; the signal's reason. */
export async function uploadMultipart(input: UploadInput): Promise<Uploaded> {
  const token = randomUUID();
  const upload = await createUpload(input, token);
  try {
    await input.onOpen(upload);
    const sent = await sendParts(input, upload);
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
    ChecksumAlgorithm: "SHA256",
    Metadata: { [TOKEN_NAME]: token },
  });
  const what = `Creating ${key}`;
  const { UploadId: uploadId } = await sending(what, signal, () => s3.send(command, { abortSignal: signal }));
  if (uploadId === undefined)
    throw new BackupError("storage_failed", { detail: `${what}: no UploadId came` });
  return { bucket, key, uploadId };
}

interface SentParts {
  readonly parts: readonly CompletedPart[];
  readonly sizeBytes: number;
}

async function sendParts(input: UploadInput, upload: OpenUpload): Promise<SentParts> {
  const firstBytes = firstPartBytes(input.expectedBytes);
  const parts: CompletedPart[] = [];
  const onTheWay = new Set<Promise<void>>();
  // One failed part ends the others, and them waiting for the source.
  const failed = new AbortController();
  const signal = AbortSignal.any([input.signal, failed.signal]);
  let sizeBytes = 0;
  let acknowledged = 0;

  const send = async ({ number, bytes, release }: Part): Promise<void> => {
    parts[number - 1] = await sendPart(input.s3, upload, number, bytes, signal);
    acknowledged += bytes.length;
    release();
    input.onUploaded?.(acknowledged);
  };
  const start = async (part: Part): Promise<void> => {
    if (part.number > MAX_PARTS)
      throw new BackupError("storage_failed", { detail: "The archive is over 5 TiB" });
    const size = partBytes(part.number, firstBytes);
    const most = partsAtOnce(size, input.concurrency, PARTS_MEMORY_BYTES);
    while (onTheWay.size >= most) await Promise.race(onTheWay);
    sizeBytes += part.bytes.length;
    const sending = send(part);
    onTheWay.add(sending);
    sending.then(
      () => onTheWay.delete(sending),
      (error: unknown) => failed.abort(error),
    );
  };

  const cutter = createPartCutter((number) => partBytes(number, firstBytes));
  try {
    for await (const frame of input.frames) {
      signal.throwIfAborted();
      for (const part of cutter.add(frame)) await start(part);
      freeBuffer(frame);
    }
    const last = cutter.end();
    if (last !== undefined) await start(last);
    await Promise.all(onTheWay);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(onTheWay);
    throw error;
  }
  return { parts, sizeBytes };
}

async function sendPart(
  s3: S3Client,
  upload: OpenUpload,
  number: number,
  body: Buffer,
  signal: AbortSignal,
): Promise<CompletedPart> {
  const sha256 = hash("sha256", body, "buffer");
  const command = new UploadPartCommand({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumber: number,
    Body: body,
    ContentLength: body.length,
    ChecksumSHA256: sha256.toString("base64"),
  });
  signWith(command, sha256);
  const what = `Part ${number} of ${upload.key}`;
  const answer = await sending(what, signal, () => s3.send(command, { abortSignal: signal }));
  if (answer.ETag === undefined) throw new BackupError("storage_failed", { detail: `${what}: no ETag came` });
  return { PartNumber: number, ETag: answer.ETag, ChecksumSHA256: sha256.toString("base64") };
}

/** The signature needs the same hash as the checksum; the SDK would calculate it again, and a CRC32 besides. */
function signWith(command: UploadPartCommand, sha256: Buffer): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const headers: unknown = Reflect.get(Object(args.request), "headers");
      Object.assign(Object(headers), { "x-amz-content-sha256": sha256.toString("hex") });
      return next(args);
    },
    { step: "build", name: "signWithKnownHash" },
  );
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
    const { ETag: etag } = await s3.send(command, { abortSignal: signal });
    if (etag !== undefined) return etag;
  } catch (error) {
    // The answer may have been lost and a retry told "no such upload" or "exists": the object itself decides.
    const etag = await etagIfOurs(input, upload, sent, token);
    if (etag !== undefined) return etag;
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

async function sending<T>(what: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    signal.throwIfAborted();
    throw storageError(error, what);
  }
}
