// Sends a stream as the parts of an open multipart upload, several at a time, each with a checksum that the storage
// verifies. One failed part ends the others.
import { type CompletedPart, type S3Client, UploadPartCommand } from "@aws-sdk/client-s3";
import { BackupError } from "#shared/errors.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { firstPartBytes, MAX_PARTS, partBytes, partsAtOnce } from "../plan/part-sizes.ts";
import { storageError } from "../plan/storage-error.ts";
import type { Piece } from "./archive.ts";
import { createPartCutter, type Part } from "./part-cutter.ts";

export interface UploadPlace {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

export interface PartsInput {
  readonly s3: S3Client;
  /** At least one byte in all. Each is released once it is copied. */
  readonly pieces: AsyncIterable<Piece>;
  /** What the object will probably not exceed; more is possible, but takes larger parts towards the end. */
  readonly expectedBytes: number;
  /** Parts on their way at once, at most; fewer when parts are large. */
  readonly concurrency: number;
  /** Of the first part; numbers before it are those of parts that come before these in the object, or of none. */
  readonly firstNumber?: number;
  readonly signal: AbortSignal;
  /** Bytes that the storage has acknowledged so far. */
  readonly onUploaded?: (total: number) => void;
  /** A part is in the storage that a later attempt can use again. */
  readonly onPart?: (part: ReusablePart) => void;
}

export interface ReusablePart {
  readonly number: number;
  readonly etag: string;
  /** As the storage knows it. */
  readonly crc32: string;
  readonly frames: readonly FrameRecord[];
}

/** Of parts on their way; the one being filled comes on top. */
const PARTS_MEMORY_BYTES = 64 * 1_048_576;

export interface SentParts {
  readonly parts: readonly CompletedPart[];
  readonly sizeBytes: number;
}

/** @throws BackupError `storage_*`; whatever the source throws; the signal's reason. */
export async function sendParts(input: PartsInput, upload: UploadPlace): Promise<SentParts> {
  const partsBefore = (input.firstNumber ?? 1) - 1;
  const partsLeft = MAX_PARTS - partsBefore;
  const firstBytes = firstPartBytes(input.expectedBytes, partsLeft);
  const parts: CompletedPart[] = [];
  const onTheWay = new Set<Promise<void>>();
  // One failed part ends the others, and them waiting for the source.
  const failed = new AbortController();
  const signal = AbortSignal.any([input.signal, failed.signal]);
  let sizeBytes = 0;
  let acknowledged = 0;

  const send = async (part: Part): Promise<void> => {
    const number = partsBefore + part.number;
    const sent = await sendPart(input.s3, upload, number, part, signal);
    parts[part.number - 1] = { PartNumber: number, ETag: sent.etag, ChecksumCRC32: sent.crc32 };
    if (part.frames !== undefined) input.onPart?.({ number, ...sent, frames: part.frames });
    acknowledged += part.bytes.length;
    part.release();
    input.onUploaded?.(acknowledged);
  };
  const start = async (part: Part): Promise<void> => {
    if (part.number > partsLeft)
      throw new BackupError("storage_failed", { detail: "The archive is over 5 TiB" });
    const size = partBytes(part.number, firstBytes, partsLeft);
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

  const cutter = createPartCutter((number) => partBytes(number, firstBytes, partsLeft));
  try {
    for await (const piece of input.pieces) {
      signal.throwIfAborted();
      for (const part of cutter.add(piece)) await start(part);
      piece.release();
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
  upload: UploadPlace,
  number: number,
  { bytes: body, crc32 }: Part,
  signal: AbortSignal,
): Promise<Pick<ReusablePart, "etag" | "crc32">> {
  // The storage checks it; what it would miss, the SHA-256 of each frame in the archive's index finds.
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32);
  const crc = checksum.toString("base64");
  const command = new UploadPartCommand({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumber: number,
    Body: body,
    ContentLength: body.length,
    ChecksumCRC32: crc,
  });
  const what = `Part ${number} of ${upload.key}`;
  const answer = await sending(what, signal, () => s3.send(command, { abortSignal: signal }));
  if (answer.ETag === undefined) throw new BackupError("storage_failed", { detail: `${what}: no ETag came` });
  return { etag: answer.ETag, crc32: crc };
}

/** What the call throws, as an error with a code and the words for what it was. */
export async function sending<T>(what: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    signal.throwIfAborted();
    throw storageError(error, what);
  }
}
