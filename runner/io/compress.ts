// Turns plain frames into zstd frames in libuv's thread pool: several at a time, in order, never more than asked for.
import { compress } from "@mongodb-js/zstd";
import { rawFrameBytes, writeRawFrame } from "#shared/format/raw-frame.ts";
import { isWorthCompressing, LEAST_SAMPLED_BYTES, sampleOf } from "../plan/compressible.ts";

export interface PlainFrame {
  readonly bytes: Buffer;
  /** Called when `bytes` is no longer needed, so that its memory can be used again. */
  readonly release?: () => void;
}

export interface CompressedFrame {
  /** One whole zstd frame. */
  readonly bytes: Buffer;
  readonly rawBytes: number;
}

/** zstd's own default: `zstd` without options makes the same of the same frame. */
const LEVEL = 3;
/** Finds the same in a sample, in less time. */
const SAMPLE_LEVEL = 1;

export interface CompressOptions {
  /** Frames in work at once; each holds its plain and its compressed bytes. */
  readonly concurrency: number;
}

/** One zstd frame per plain frame, in order. */
export async function* compressFrames<T extends PlainFrame>(
  frames: AsyncIterable<T>,
  options: CompressOptions,
): AsyncGenerator<CompressedFrame & { readonly source: T }, void, undefined> {
  const inWork: Promise<CompressedFrame & { readonly source: T }>[] = [];
  try {
    for await (const frame of frames) {
      const work = compressOne(frame);
      work.catch(() => undefined); // Reported where it is awaited below; it must not count as unhandled before.
      inWork.push(work);
      if (inWork.length >= options.concurrency) {
        const first = inWork.shift();
        if (first !== undefined) yield await first;
      }
    }
    while (inWork.length > 0) {
      const first = inWork.shift();
      if (first !== undefined) yield await first;
    }
  } finally {
    await Promise.allSettled(inWork); // The pool still reads their memory.
  }
}

/** One whole zstd frame of an index block. */
export async function compressBlock(block: Uint8Array): Promise<Uint8Array> {
  return await compress(Buffer.from(block.buffer, block.byteOffset, block.byteLength), LEVEL);
}

async function compressOne<T extends PlainFrame>(
  frame: T,
): Promise<CompressedFrame & { readonly source: T }> {
  const rawBytes = frame.bytes.length;
  const bytes = (await compresses(frame.bytes)) ? await compress(frame.bytes, LEVEL) : rawFrame(frame.bytes);
  frame.release?.();
  return { bytes, rawBytes, source: frame };
}

async function compresses(bytes: Buffer): Promise<boolean> {
  if (bytes.length < LEAST_SAMPLED_BYTES) return true;
  const sample = sampleOf(bytes);
  return isWorthCompressing(sample.length, (await compress(Buffer.from(sample.buffer), SAMPLE_LEVEL)).length);
}

function rawFrame(bytes: Buffer): Buffer {
  // Of its own memory, which its taker frees.
  const frame = Buffer.allocUnsafeSlow(rawFrameBytes(bytes.length));
  writeRawFrame(bytes, frame);
  return frame;
}
