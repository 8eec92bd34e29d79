// What the bench makes of what it measured: nearest-rank percentiles, and the bars held or not.
import { describe, expect, it } from "vitest";
import { inTurns } from "../../bench/in-turns.ts";
import { pageRow, percentile } from "../../bench/page-row.ts";

describe("the row of the front page", () => {
  it("takes the 95th of a hundred", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect(percentile(hundred, 0.95)).toBe(95);
    expect(percentile([7], 0.95)).toBe(7);
    expect(() => percentile([], 0.95)).toThrow(RangeError);
  });

  it("compares all answers of all rounds, and holds up to half as much again", () => {
    const round = (during: number) => ({ idle: [10, 20], during: [during, during], backupSeconds: 3 });
    expect(pageRow([round(30), round(29)])).toMatchObject({ ok: true, ratio: 1.5, idle_pages: 4 });
    expect(pageRow([round(31), round(29)])).toMatchObject({ ok: false, backup_p95_ms: 31 });
  });
});

it("lets each be first in turn, and gives ours first", async () => {
  const order: string[] = [];
  const say = (name: string) => async () => {
    order.push(name);
    return name;
  };
  for (const isPeerFirst of [false, true]) {
    expect(await inTurns(isPeerFirst, say("ours"), say("peer"))).toEqual(["ours", "peer"]);
  }
  expect(order).toEqual(["ours", "peer", "peer", "ours"]);
});
