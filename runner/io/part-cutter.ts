// Copies the pieces of an object into parts. Frames that a later attempt may use again are kept whole; everything else
// is cut at exact sizes. The parts' buffers are used again and again, so that an upload's memory is what its parts on
// the way take, and nothing waits for the garbage collector.
import { crc32 } from "node:zlib";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { MIN_PART_BYTES } from "../plan/part-sizes.ts";
import type { Piece } from "./archive.ts";
import { copyBytes } from "./copy-bytes.ts";
import { freeBuffer } from "./free-buffer.ts";

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly crc32: number;
  /** All that is in it, if a later attempt can use it again. */
  readonly frames: readonly FrameRecord[] | undefined;
  /** Once `bytes` is no longer needed. */
  readonly release: () => void;
}

type CutPiece = Omit<Piece, "release">;

export interface PartCutter {
  /** The parts that `piece` completes; it has been copied when it is through. */
  add(piece: CutPiece): Generator<Part, void, undefined>;
  /** What is left, if anything. */
  end(): Part | undefined;
}

/**
 * Copied and summed up in slices that stay in the processor's cache between the two. Measured: summing up whole parts
 * of 8 MiB, long out of the cache, took 0.85 s per GiB, this 0.25.
 */
const SLICE_BYTES = 128 * 1024;

/** `sizeOf` by a part's number; no part but the last is smaller than `minBytes`. */
export function createPartCutter(
  sizeOf: (number: number) => number,
  minBytes: number = MIN_PART_BYTES,
): PartCutter {
  const spare: Buffer[] = [];
  let number = 1;
  let filled = 0;
  let crc = 0;
  let frames: FrameRecord[] | undefined = [];
  let current: Buffer | undefined;

  const bufferOf = (size: number): Buffer => {
    const used = spare.pop();
    if (used === undefined || used.length === size) return used ?? Buffer.allocUnsafeSlow(size);
    freeBuffer(used);
    return bufferOf(size);
  };
  const take = (buffer: Buffer): Part => {
    const bytes = buffer.subarray(0, filled);
    const part = { number, bytes, crc32: crc, frames, release: () => void spare.push(buffer) };
    current = undefined;
    filled = 0;
    crc = 0;
    frames = [];
    number += 1;
    return part;
  };
  const beingFilled = (): Buffer => {
    current ??= bufferOf(sizeOf(number));
    return current;
  };
  /** Room for a frame of that size in the part, which is too small to end here, or empty. */
  const makeRoom = (bytes: number): void => {
    const buffer = beingFilled();
    if (filled + bytes <= buffer.length) return;
    current = Buffer.allocUnsafeSlow(filled + bytes);
    current.set(buffer.subarray(0, filled));
    freeBuffer(buffer);
  };
  /** A part ends before a frame that does not fit, and before what cannot be used again. */
  const endsBefore = ({ bytes, frame }: CutPiece, buffer: Buffer): boolean => {
    if (filled < minBytes) return false;
    return frame === undefined ? frames !== undefined : filled + bytes > buffer.length;
  };
  return {
    *add(piece) {
      const { pieces, bytes, frame } = piece;
      if (current !== undefined && endsBefore(piece, current)) yield take(current);
      if (frame !== undefined) {
        makeRoom(bytes);
        frames?.push(frame);
      }
      for (const each of pieces) {
        for (let offset = 0; offset < each.length; ) {
          if (frame === undefined) frames = undefined;
          const buffer = beingFilled();
          const sliceBytes = Math.min(buffer.length - filled, each.length - offset, SLICE_BYTES);
          copyBytes(each, buffer, filled, offset, offset + sliceBytes);
          crc = crc32(buffer.subarray(filled, filled + sliceBytes), crc);
          filled += sliceBytes;
          offset += sliceBytes;
          if (filled === buffer.length) yield take(buffer);
        }
      }
    },
    end: () => (current === undefined ? undefined : take(current)),
  };
}
