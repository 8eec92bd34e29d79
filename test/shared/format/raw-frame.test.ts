import { zstdDecompressSync } from "node:zlib";
import { decompress } from "@mongodb-js/zstd";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rawFrameBytes, rawFrameOf, readRawFrame } from "#shared/format/raw-frame.ts";

function rawFrame(content: Uint8Array): Buffer {
  const frame = Buffer.concat(rawFrameOf(content));
  expect(frame.length).toBe(rawFrameBytes(content.length));
  return frame;
}

describe("a raw frame", () => {
  it("is what RFC 8878 says", () => {
    expect(rawFrame(Buffer.from("abc")).toString("hex")).toBe("28b52ffda003000000190000616263");
  });

  it.each([0, 1, 255, 256, 128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 4 * 1024 * 1024])(
    "of %i bytes is read by two zstds",
    async (bytes) => {
      const content = Buffer.alloc(bytes);
      for (let i = 0; i < bytes; i += 1) content[i] = (i * 7919) >> 5;
      const frame = rawFrame(content);
      expect(zstdDecompressSync(frame).equals(content)).toBe(true);
      if (bytes > 0) expect((await decompress(frame)).equals(content)).toBe(true);
    },
  );

  it("holds any bytes of any number", () => {
    fc.assert(
      fc.property(fc.nat(400_000), fc.nat(255), (bytes, seed) => {
        const content = Buffer.alloc(bytes, seed);
        const frame = rawFrame(content);
        expect(zstdDecompressSync(frame).equals(content)).toBe(true);
        expect(Buffer.concat(readRawFrame(frame) ?? []).equals(content)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("is read without a decoder only if every byte that is not content is as it was written", () => {
    const bytes = 128 * 1024 + 5;
    const frame = rawFrame(Buffer.alloc(bytes, 7));
    const secondHeader = 12 + 128 * 1024;
    for (const at of [
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      10,
      11,
      secondHeader,
      secondHeader + 1,
      secondHeader + 2,
    ]) {
      for (const bit of [0, 1, 2, 3, 4, 5, 6, 7]) {
        const other = Buffer.from(frame);
        other[at] = (frame[at] ?? 0) ^ (1 << bit);
        expect(readRawFrame(other)).toBeUndefined();
      }
    }
    for (const length of [0, 4, 8, 11, 12, secondHeader, frame.length - 1])
      expect(readRawFrame(frame.subarray(0, length))).toBeUndefined();
    expect(readRawFrame(Buffer.concat([frame, Buffer.alloc(1)]))).toBeUndefined();
  });
});
