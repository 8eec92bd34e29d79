import fc from "fast-check";
import { expect, test } from "vitest";
import { openTimeline } from "../../../bench/sim/timeline.ts";

test("everything happens in order of time, and of the same time in the order it was put there", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const timeline = openTimeline(0);
      const seen: [number, number][] = [];
      for (const [index, time] of times.entries()) timeline.at(time, () => void seen.push([time, index]));
      timeline.runUntil(100);
      expect(seen).toEqual(seen.toSorted(([a, i], [b, j]) => a - b || i - j));
      expect(seen).toHaveLength(times.length);
      expect(timeline.isEmpty()).toBe(true);
    }),
  );
});

test("what is put there while it runs has its turn, and nothing past the end", () => {
  const timeline = openTimeline(0);
  const seen: string[] = [];
  timeline.at(10, () => {
    seen.push("first");
    timeline.at(5, () => seen.push(`second at ${timeline.nowMs()}`));
    timeline.at(31, () => seen.push("too late"));
  });
  timeline.runUntil(30);
  expect(seen).toEqual(["first", "second at 10"]);
});
