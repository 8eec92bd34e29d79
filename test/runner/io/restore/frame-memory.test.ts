// The memory of frames goes round: never more of it than is in use at once, whatever their sizes.
import { expect, it } from "vitest";
import { openFrameMemory } from "#runner/io/restore/frame-memory.ts";

const MIB = 1_048_576;

it("is used again once it was given back, and not before", () => {
  const memory = openFrameMemory();
  const [first, second] = [memory.take(1000), memory.take(4 * MIB)];
  expect([first.length, second.length]).toEqual([1000, 4 * MIB]);
  expect(second.buffer).not.toBe(first.buffer);
  memory.giveBack(first);
  const third = memory.take(4 * MIB);
  expect(third.buffer).toBe(first.buffer);
  expect(third.length).toBe(4 * MIB);
});

it("grows with a frame larger than usual, and does not keep what was too small beside it", () => {
  const memory = openFrameMemory();
  const small = memory.take(10);
  memory.giveBack(small);
  const large = memory.take(20 * MIB);
  expect(large.length).toBe(20 * MIB);
  memory.giveBack(large);
  expect(memory.take(10).buffer).toBe(large.buffer);
  expect(memory.take(10).buffer).not.toBe(small.buffer);
});
