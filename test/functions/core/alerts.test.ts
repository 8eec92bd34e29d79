// Alerts over any course of problems: told of at once, told of seldom, and gone when their problem is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AlertRecord, type AlertRun, messageOf, settleAlerts } from "#functions/core/alerts.ts";
import type { Problem } from "#functions/core/watch.ts";

const START = Date.parse("2030-01-01T00:00:00.000Z");
const PERIOD_MS = 15 * 60_000;
const aProblem = (key: string): Problem => ({
  key,
  kind: "site_overdue",
  target: { kind: "site", id: key },
  text: `${key} is overdue`,
});

/** Runs the watch at its period; `present` says which problems there are at each run. */
function watch(runs: readonly (readonly string[])[]): { run: AlertRun; open: string[]; atMs: number }[] {
  let records = new Map<string, AlertRecord>();
  return runs.map((keys, index) => {
    const atMs = START + index * PERIOD_MS;
    const run = settleAlerts(keys.map(aProblem), [...records.values()], new Date(atMs));
    records = new Map(records);
    for (const alert of run.changed) records.set(alert.key, alert);
    for (const alert of run.over) records.delete(alert.key);
    const open = [...records.values()].filter(({ state }) => state === "open").map(({ key }) => key);
    return { run, open, atMs };
  });
}

const told = ({ run }: { run: AlertRun }): string[] => [...run.opened, ...run.repeated].map(({ key }) => key);

test("whatever comes and goes: open is what is there, and everything that is there has been told", () => {
  const course = fc.array(fc.subarray(["a", "b", "c"]), { maxLength: 60 });
  fc.assert(
    fc.property(course, (runs) => {
      const heard = new Set<string>();
      for (const [index, step] of watch(runs).entries()) {
        expect(step.open.sort()).toEqual([...(runs[index] ?? [])].sort());
        for (const key of told(step)) heard.add(key);
        for (const key of step.open) expect(heard.has(key)).toBe(true);
      }
    }),
  );
});

test("whatever comes and goes: nothing is told twice within a day, unless it was gone for an hour", () => {
  const course = fc.array(fc.subarray(["a", "b"]), { minLength: 50, maxLength: 200 });
  fc.assert(
    fc.property(course, (runs) => {
      const last = new Map<string, { at: number; index: number }>();
      for (const [index, step] of watch(runs).entries()) {
        for (const key of told(step)) {
          const before = last.get(key);
          if (before !== undefined && step.atMs - before.at < 86_400_000) {
            const between = runs.slice(before.index + 1, index);
            expect(longestGap(between, key) * PERIOD_MS).toBeGreaterThan(3_600_000 - PERIOD_MS);
          }
          last.set(key, { at: step.atMs, index });
        }
      }
    }),
    { numRuns: 50 },
  );
});

function longestGap(runs: readonly (readonly string[])[], key: string): number {
  let [longest, gap] = [0, 0];
  for (const keys of runs) {
    gap = keys.includes(key) ? 0 : gap + 1;
    longest = Math.max(longest, gap);
  }
  return longest;
}

describe("an alert", () => {
  test("that stays is repeated after a day, three more, and then weekly", () => {
    const runs = Array.from({ length: 30 * 96 }, () => ["a"]);
    const days = watch(runs)
      .filter((step) => told(step).length > 0)
      .map(({ atMs }) => (atMs - START) / 86_400_000);
    expect(days).toEqual([0, 1, 4, 11, 18, 25]);
  });

  test("that flaps is told of once", () => {
    const runs = Array.from({ length: 90 }, (_, index) => (index % 3 === 0 ? [] : ["a"]));
    const steps = watch(runs);
    expect(steps.flatMap(told)).toEqual(["a"]);
    expect(steps.flatMap(({ run }) => run.over)).toEqual([]);
  });

  test("that comes back the next day is a new one", () => {
    const runs = [["a"], ...Array.from({ length: 40 }, () => []), ["a"]];
    const steps = watch(runs);
    expect(steps.flatMap(({ run }) => run.opened.map(({ opened_at: at }) => at))).toHaveLength(2);
    expect(steps.flatMap(({ run }) => run.over)).toHaveLength(1);
  });
});

describe("the message", () => {
  test("is one for a run, and short whatever happens", () => {
    const keys = Array.from({ length: 500 }, (_, index) => `site-${index}`);
    const steps = watch([keys, ...Array.from({ length: 7 }, () => ["site-1"])]);
    const [first] = steps;
    const last = steps.find(({ run }) => run.over.length > 0);
    const message = first && messageOf(first.run);
    expect(message?.title).toBe("Backupd: 500 new");
    expect(message?.lines).toHaveLength(21);
    expect(message?.lines.at(-1)).toBe("and 480 more");
    expect(last && messageOf(last.run)?.title).toBe("Backupd: 499 over");
  });

  test("is none when nothing has changed", () => {
    const [, second] = watch([["a"], ["a"]]);
    expect(second && messageOf(second.run)).toBeUndefined();
  });
});

test("an alert goes with its site to another tenant, without being told again", () => {
  const at = (minutes: number) => new Date(START + minutes * 60_000);
  const of = (tenant?: string): Problem => ({
    ...aProblem("a"),
    ...(tenant === undefined ? {} : { tenant }),
  });
  let known = settleAlerts([of("acme")], [], at(0)).changed;
  for (const tenant of ["bravo", undefined, "acme"]) {
    const run = settleAlerts([of(tenant)], known, at(15));
    expect([run.changed.map((alert) => alert.tenant), run.opened, run.repeated]).toEqual([[tenant], [], []]);
    known = run.changed;
  }
  expect(settleAlerts([of("acme")], known, at(30)).changed).toEqual([]);
});
