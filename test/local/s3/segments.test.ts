// Segment arithmetic against the plain thing it stands for: bytes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinSegments, type Segment, sliceSegments, totalBytes } from "#local/s3/store/segments.ts";

const FILES: Record<string, Buffer> = {
  a: Buffer.from("abcdefghijklmnopqrstuvwxyz"),
  b: Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
};

const segment = fc
  .tuple(fc.constantFrom("a", "b"), fc.nat(26), fc.nat(26))
  .map(([partFile, x, y]): Segment => ({ partFile, offsetBytes: Math.min(x, y), bytes: Math.abs(x - y) }));
const segments = fc.array(segment, { maxLength: 12 });

function bytesOf(list: readonly Segment[]): string {
  return list
    .map(({ partFile, offsetBytes, bytes }) =>
      FILES[partFile]?.toString("latin1", offsetBytes, offsetBytes + bytes),
    )
    .join("");
}

describe("segments", () => {
  it("slices exactly the bytes of the range", () => {
    fc.assert(
      fc.property(segments, fc.nat(200), fc.nat(200), (list, x, y) => {
        const total = totalBytes(list);
        const start = Math.min(x % (total + 1), y % (total + 1));
        const length = Math.abs((x % (total + 1)) - (y % (total + 1)));
        const slice = sliceSegments(list, start, length);
        expect(bytesOf(slice)).toBe(bytesOf(list).slice(start, start + length));
        expect(slice.every((piece) => piece.bytes > 0)).toBe(true);
      }),
    );
  });

  it("refuses a range that is not all there", () => {
    fc.assert(
      fc.property(segments, fc.nat(100), fc.integer({ min: 1, max: 9 }), (list, start, over) => {
        const total = totalBytes(list);
        const from = start % (total + 1);
        expect(() => sliceSegments(list, from, total - from + over)).toThrow(RangeError);
      }),
    );
  });

  it("joins without changing the bytes, and leaves no neighbours that are one run", () => {
    fc.assert(
      fc.property(segments, (list) => {
        const joined = joinSegments(list);
        expect(bytesOf(joined)).toBe(bytesOf(list));
        for (const [index, next] of joined.entries()) {
          const last = joined[index - 1];
          const adjoins =
            last?.partFile === next.partFile && last.offsetBytes + last.bytes === next.offsetBytes;
          expect(adjoins).toBe(false);
        }
      }),
    );
  });

  it("puts a list that was cut anywhere together again", () => {
    fc.assert(
      fc.property(segments, fc.nat(200), (list, at) => {
        const total = totalBytes(list);
        const cut = at % (total + 1);
        const halves = [...sliceSegments(list, 0, cut), ...sliceSegments(list, cut, total - cut)];
        expect(joinSegments(halves)).toEqual(joinSegments(list));
      }),
    );
  });
});
