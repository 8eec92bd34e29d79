import { expect, it } from "vitest";
import { startStageClock } from "#runner/stage-clock.ts";

it("gives each stage the time until the next one, and the running one the time until now", () => {
  let nowMs = 1_000;
  const entered: string[] = [];
  const clock = startStageClock(
    () => nowMs,
    (stage) => entered.push(stage),
  );
  expect(clock.times()).toEqual([]);
  clock.enter("dump");
  nowMs += 1_500;
  clock.enter("archive");
  nowMs += 250;
  expect(clock.times()).toEqual([
    { name: "dump", seconds: 1.5 },
    { name: "archive", seconds: 0.25 },
  ]);
  clock.enter("dump");
  nowMs += 500;
  expect(clock.times()).toEqual([
    { name: "dump", seconds: 2 },
    { name: "archive", seconds: 0.25 },
  ]);
  expect(entered).toEqual(["dump", "archive", "dump"]);
});
