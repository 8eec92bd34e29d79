// The simulation itself: a small fleet's week passes, and a system that is broken does not.
import { beforeAll, describe, expect, it } from "vitest";
import { checkMonth } from "../../../bench/sim/checks.ts";
import { runWorld, WATCH_MS, type WorldResult } from "../../../bench/sim/world.ts";

const DAYS = 8;
const ONE = { share: { index: 0, of: 1 } };
let world: WorldResult;
beforeAll(async () => {
  world = await runWorld({ sites: 300, nodes: 15, days: DAYS, seed: 7, ...ONE });
});

const failed = (changed: WorldResult): string[] =>
  checkMonth([changed], { days: DAYS, watchMs: WATCH_MS, endMs: world.endMs })
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);

describe("a simulated week", () => {
  it("loses no backup, makes none twice, and tells of what was planted and of nothing else", () => {
    // So few sites are not spread evenly.
    expect(failed(world).filter((name) => name !== "schedules are spread")).toEqual([]);
    expect(world.tally.due).toBeGreaterThan(2000);
    expect(world.tally.secondDeliveries).toBeGreaterThan(0);
    expect(world.tally.crashes + world.tally.pauses).toBeGreaterThan(0);
    expect(world.faults.filter(({ factMs }) => factMs !== undefined).length).toBeGreaterThan(2);
  });

  it("is the same for the same seed", async () => {
    const small = { sites: 40, nodes: 4, days: 3, ...ONE };
    expect(await runWorld({ ...small, seed: 3 })).toEqual(await runWorld({ ...small, seed: 3 }));
  });

  it.each<[string, (world: WorldResult) => WorldResult]>([
    ["no backup is lost", (w) => ({ ...w, tally: { ...w.tally, withoutEnd: ["a job"] } })],
    ["no double backups", (w) => ({ ...w, tally: { ...w.tally, backups: w.tally.backups + 1 } })],
    ["no double backups", (w) => ({ ...w, tally: { ...w.tally, orphans: 1 } })],
    ["every end is explained", (w) => ({ ...w, tally: { ...w.tally, unexplained: ["a job: failed"] } })],
    [
      "planted faults are found",
      (w) => ({ ...w, alerts: w.alerts.filter(({ kind }) => kind !== "node_silent") }),
    ],
    [
      "alerts close by themselves",
      (w) => ({ ...w, alerts: w.alerts.filter(({ what }) => what === "opened") }),
    ],
    ["no false alarms", (w) => ({ ...w, faults: w.faults.filter(({ kind }) => kind !== "site_failing") })],
  ])("%s: a month that broke it is told from one that did not", (name, breakIt) => {
    expect(failed(breakIt(world))).toContain(name);
  });
});
