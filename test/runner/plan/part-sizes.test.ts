// Part sizes: within S3's limits for any object, and of one size where the expectation held.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  firstPartBytes,
  MAX_OBJECT_BYTES,
  MAX_PART_BYTES,
  MAX_PARTS,
  MIN_PART_BYTES,
  partBytes,
  partsAtOnce,
  USUAL_PART_BYTES,
} from "#runner/plan/part-sizes.ts";

const sizes = fc.integer({ min: 0, max: MAX_OBJECT_BYTES });

describe("part sizes", () => {
  it("hold any object up to 5 TiB in 10,000 parts, whatever was expected", () => {
    fc.assert(
      fc.property(sizes, (expected) => {
        const first = firstPartBytes(expected);
        let room = 0;
        let before = 0;
        for (let number = 1; number <= MAX_PARTS; number += 1) {
          const size = partBytes(number, first);
          expect(size).toBeGreaterThanOrEqual(Math.max(before, MIN_PART_BYTES));
          expect(size).toBeLessThanOrEqual(MAX_PART_BYTES);
          before = size;
          room += size;
        }
        expect(room).toBeGreaterThanOrEqual(MAX_OBJECT_BYTES);
      }),
      { numRuns: 20 },
    );
  });

  it("are all the same in an object as large as expected (R2 refuses others)", () => {
    fc.assert(
      fc.property(sizes, (expected) => {
        const first = firstPartBytes(expected);
        expect(partBytes(Math.max(1, Math.ceil(expected / first)), first)).toBe(first);
      }),
    );
  });

  it("are the usual ones for usual sites", () => {
    expect(firstPartBytes(1.4e9)).toBe(USUAL_PART_BYTES);
  });
});

describe("partsAtOnce", () => {
  it("stays within the memory, but always sends one", () => {
    expect([partsAtOnce(8, 4, 64), partsAtOnce(30, 4, 64), partsAtOnce(500, 4, 64)]).toEqual([4, 2, 1]);
  });
});
