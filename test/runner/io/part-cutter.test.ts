// How an upload's bytes become parts: frames that may be used again are never cut, no part but the last is too small
// for S3, and every byte is in its place.
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createPartCutter, type Part } from "#runner/io/part-cutter.ts";
import { MIN_PART_BYTES } from "#runner/plan/part-sizes.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";

const MIB = 1_048_576;
const SIZE = 10 * MIB;

interface Cut {
  readonly bytes: Buffer;
  readonly crc32: number;
  readonly frames: Part["frames"];
}

function halves(bytes: Buffer): Buffer[] {
  return [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)];
}

/** `frames`: sizes of frames of the tree, then of what follows it. */
function cut(frames: readonly number[], rest: readonly number[]): { whole: Buffer; parts: Cut[] } {
  const cutter = createPartCutter(() => SIZE);
  const parts: Cut[] = [];
  const take = (part: Part): void => {
    parts.push({ bytes: Buffer.from(part.bytes), crc32: part.crc32, frames: part.frames });
    part.release();
  };
  const pieces = [...frames, ...rest].map((size, index) => Buffer.alloc(size, index + 1));
  let offset = 0;
  for (const [index, bytes] of pieces.entries()) {
    const place = { offset, compressedBytes: bytes.length, tarOffset: offset, tarBytes: bytes.length };
    const frame: FrameRecord = { ...place, sha256: "" };
    const scattered = { pieces: halves(bytes), bytes: bytes.length };
    for (const part of cutter.add(index < frames.length ? { ...scattered, frame } : scattered)) take(part);
    offset += bytes.length;
  }
  const last = cutter.end();
  if (last !== undefined) take(last);
  return { whole: Buffer.concat(pieces), parts };
}

const sizes = (max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max }), { maxLength: 8 });

it("keeps every byte, and the frames of the tree whole", () => {
  fc.assert(
    fc.property(sizes(4 * MIB + 20_000), sizes(12 * MIB), (frames, rest) => {
      const { whole, parts } = cut(frames, rest);
      expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(whole)).toBe(true);
      let offset = 0;
      for (const [index, part] of parts.entries()) {
        expect(part.crc32).toBe(crc32(part.bytes));
        if (index < parts.length - 1) expect(part.bytes.length).toBeGreaterThanOrEqual(MIN_PART_BYTES);
        const places = part.frames?.map((frame) => frame.offset) ?? [offset];
        expect(places[0]).toBe(offset);
        const inFrames = part.frames?.reduce((sum, frame) => sum + frame.compressedBytes, 0);
        expect(inFrames ?? part.bytes.length).toBe(part.bytes.length);
        offset += part.bytes.length;
      }
    }),
    { numRuns: 25 },
  );
});

it("ends a part where the tree ends, if it is large enough", () => {
  const { parts } = cut([4 * MIB, 2 * MIB], [MIB]);
  expect(parts.map(({ bytes, frames }) => [bytes.length, frames?.length])).toEqual([
    [6 * MIB, 2],
    [MIB, undefined],
  ]);
  expect(cut([2 * MIB], [MIB]).parts.map(({ frames }) => frames)).toEqual([undefined]);
});

it("cuts what is not of the tree at the exact size, as storages want that take parts of one size only", () => {
  const { parts } = cut([], [7 * MIB, 7 * MIB, 9 * MIB, 100]);
  expect(parts.map(({ bytes }) => bytes.length)).toEqual([SIZE, SIZE, 3 * MIB + 100]);
});
