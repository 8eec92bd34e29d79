// Whatever is wanted of whatever layout: every wanted byte is in just one request, requests lie in order, hold whole
// frames, begin where an entry does, and no more is read for nothing than the limits allow.
import fc from "fast-check";
import { expect, it } from "vitest";
import { planReads, type ReadLimits, type TarSpan } from "#runner/plan/restore/plan-reads.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";

interface Layout {
  readonly frames: FrameRecord[];
  readonly spans: TarSpan[];
}

const layout: fc.Arbitrary<Layout> = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 }),
    cuts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }),
    stored: fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 60, maxLength: 60 }),
    wanted: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  })
  .map(({ sizes, cuts, stored, wanted }) => {
    const total = sizes.reduce((sum, size) => sum + size * 512, 0);
    const frames: FrameRecord[] = [];
    let [offset, tarOffset] = [0, 0];
    for (let at = 0; tarOffset < total; at += 1) {
      const tarBytes = Math.min((cuts[at % cuts.length] ?? 1) * 300, total - tarOffset);
      const compressedBytes = stored[at % stored.length] ?? 1;
      frames.push({ offset, compressedBytes, tarOffset, tarBytes, sha256: "" });
      offset += compressedBytes;
      tarOffset += tarBytes;
    }
    let from = 0;
    const spans = sizes.map((size, id) => {
      const span = { id, from, to: from + size * 512 };
      from = span.to;
      return span;
    });
    return { frames, spans: spans.filter(({ id }) => wanted[id]) };
  });

const limits: fc.Arbitrary<ReadLimits> = fc.record({
  unitBytes: fc.integer({ min: 1, max: 20_000 }),
  gapBytes: fc.integer({ min: 0, max: 9000 }),
});

it("reads each wanted entry once, in whole frames, and little else", () => {
  fc.assert(
    fc.property(layout, limits, ({ frames, spans }, how) => {
      const units = [...planReads(frames, spans, how)];
      expect(units.flatMap((unit) => unit.spans)).toEqual(spans);
      for (const [at, unit] of units.entries()) {
        const [first, last] = [frames[unit.firstFrame], frames[unit.lastFrame]];
        if (first === undefined || last === undefined) throw new Error("no such frame");
        expect(unit.offset).toBe(first.offset);
        expect(unit.bytes).toBe(last.offset + last.compressedBytes - first.offset);
        const [from, to] = [unit.spans[0]?.from ?? -1, Math.max(...unit.spans.map((span) => span.to))];
        expect(first.tarOffset <= from && from < first.tarOffset + first.tarBytes).toBe(true);
        expect(last.tarOffset < to && to <= last.tarOffset + last.tarBytes).toBe(true);
        const before = units[at - 1];
        if (before !== undefined) expect(unit.firstFrame).toBeGreaterThan(before.lastFrame);
        expect(idleBytes(frames.slice(unit.firstFrame, unit.lastFrame + 1), unit.spans)).toBeLessThanOrEqual(
          how.gapBytes,
        );
      }
    }),
  );
});

/** The longest run of stored bytes between wanted ones. */
function idleBytes(frames: readonly FrameRecord[], spans: readonly TarSpan[]): number {
  let [longest, run] = [0, 0];
  for (const { tarOffset, tarBytes, compressedBytes } of frames) {
    const isWanted = spans.some(({ from, to }) => from < tarOffset + tarBytes && to > tarOffset);
    run = isWanted ? 0 : run + compressedBytes;
    longest = Math.max(longest, run);
  }
  return longest;
}
