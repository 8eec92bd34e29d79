// Copies a sequence of frames into parts of exact sizes. The parts' buffers are used again and again, so that an
// upload's memory is what its parts on the way take, and nothing waits for the garbage collector.
import { crc32 } from "node:zlib";
import { freeBuffer } from "./free-buffer.ts";

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly crc32: number;
  /** Once `bytes` is no longer needed. */
  readonly release: () => void;
}

export interface PartCutter {
  /** The parts that `frame` completes; `frame` has been copied when it is through. */
  add(frame: Uint8Array): Generator<Part, void, undefined>;
  /** What is left, if anything. */
  end(): Part | undefined;
}

/**
 * Copied and summed up in slices that stay in the processor's cache between the two. Measured: summing up whole parts
 * of 8 MiB, long out of the cache, took 0.85 s per GiB, this 0.25.
 */
const SLICE_BYTES = 128 * 1024;

export function createPartCutter(sizeOf: (number: number) => number): PartCutter {
  const spare: Buffer[] = [];
  let number = 1;
  let filled = 0;
  let crc = 0;
  let current: Buffer | undefined;

  const bufferOf = (size: number): Buffer => {
    const used = spare.pop();
    if (used === undefined || used.length === size) return used ?? Buffer.allocUnsafeSlow(size);
    freeBuffer(used);
    return bufferOf(size);
  };
  const take = (buffer: Buffer): Part => {
    const bytes = buffer.subarray(0, filled);
    const part = { number, bytes, crc32: crc, release: () => void spare.push(buffer) };
    current = undefined;
    filled = 0;
    crc = 0;
    number += 1;
    return part;
  };
  return {
    *add(frame) {
      for (let offset = 0; offset < frame.length; ) {
        current ??= bufferOf(sizeOf(number));
        const bytes = Math.min(current.length - filled, frame.length - offset, SLICE_BYTES);
        const slice = frame.subarray(offset, offset + bytes);
        current.set(slice, filled);
        crc = crc32(slice, crc);
        filled += bytes;
        offset += bytes;
        if (filled === current.length) yield take(current);
      }
    },
    end: () => (current === undefined ? undefined : take(current)),
  };
}
