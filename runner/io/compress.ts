// Turns plain frames into zstd frames in libuv's thread pool: several at a time, in order, never more than asked for.
import { compress } from "@mongodb-js/zstd";
import { rawFrameBytes, rawFrameOf } from "#shared/format/raw-frame.ts";
import { freeBuffer } from "./free-buffer.ts";

export interface PlainFrame {
  readonly bytes: Buffer;
  /** As `judgeFrame` says: if it has one, it is stored as it is. */
  readonly rawSha256: string | undefined;
  /** Called when `bytes` is no longer needed, so that its memory can be used again. */
  readonly release?: () => void;
}

/** Bytes in pieces, one after the other, which stay good until they are released. */
export interface Scattered {
  readonly pieces: readonly Uint8Array[];
  /** Of all pieces. */
  readonly bytes: number;
  readonly release: () => void;
}

export function inOnePiece(bytes: Uint8Array): Scattered {
  return { pieces: [bytes], bytes: bytes.length, release: () => freeBuffer(bytes) };
}

/** One whole zstd frame. */
export interface CompressedFrame extends Scattered {
  readonly rawBytes: number;
  /** In hex, if it is known already. */
  readonly sha256?: string;
}

/** zstd's own default: `zstd` without options makes the same of the same frame. */
const LEVEL = 3;

export interface CompressOptions {
  /** Frames in work at once; each holds its plain and its compressed bytes. */
  readonly concurrency: number;
}

/** One zstd frame per plain frame, in order. Until one is released, it may be that its plain frame is not, either. */
export async function* compressFrames(
  frames: AsyncIterable<PlainFrame>,
  options: CompressOptions,
): AsyncGenerator<CompressedFrame, void, undefined> {
  const inWork: Promise<CompressedFrame>[] = [];
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

async function compressOne(frame: PlainFrame): Promise<CompressedFrame> {
  const { bytes: plain, rawSha256: sha256 } = frame;
  const release = (): void => frame.release?.();
  const rawBytes = plain.length;
  if (sha256 !== undefined) {
    return { pieces: rawFrameOf(plain), bytes: rawFrameBytes(rawBytes), rawBytes, sha256, release };
  }
  const compressed = await compress(plain, LEVEL);
  release();
  return { ...inOnePiece(compressed), rawBytes };
}
