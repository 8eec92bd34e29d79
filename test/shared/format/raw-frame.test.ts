import { zstdDecompressSync } from "node:zlib";
import { decompress } from "@mongodb-js/zstd";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rawFrameBytes, writeRawFrame } from "#shared/format/raw-frame.ts";

function rawFrame(content: Uint8Array): Buffer {
  const frame = Buffer.alloc(rawFrameBytes(content.length), 0xee);
  writeRawFrame(content, frame);
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
        expect(zstdDecompressSync(rawFrame(content)).equals(content)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a place of another size", () => {
    expect(() => writeRawFrame(new Uint8Array(10), new Uint8Array(10))).toThrow(RangeError);
  });
});
