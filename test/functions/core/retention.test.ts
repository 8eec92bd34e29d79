// The retention policy: golden plans that people can read, and what no policy and no history may break.
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketOf } from "#functions/core/calendar-buckets.ts";
import { planRetention, type RetentionPlan } from "#functions/core/retention.ts";
import type { WatchedBackup } from "#functions/core/retention-alarms.ts";
import { Retention } from "#shared/contracts/retention.ts";
import { backupAt, DAMAGED, history } from "./retention-history.ts";

const NOW = new Date("2026-11-22T04:00:00.000Z");
const GOLDEN = join(import.meta.dirname, "../../golden/retention");
const NONE = { keep_last: 0, keep_daily: 0, keep_weekly: 0, keep_monthly: 0, keep_yearly: 0, min_keep: 1 };

function text({ keep, remove }: RetentionPlan<WatchedBackup>): string {
  const gone = remove.map(({ backup }) => backup.created_at);
  const lines = keep.map(
    ({ backup, reasons }) => `keep ${backup.created_at.slice(0, 16)}  ${reasons.join(", ")}`,
  );
  return `${lines.join("\n")}\nremove ${gone.length}${gone.length === 0 ? "" : `: ${gone.at(-1)?.slice(0, 16)} to ${gone[0]?.slice(0, 16)}`}\n`;
}

describe("golden plans", () => {
  const twoYears = history(730, 24);
  const hourly = history(72, 1);
  const special = [
    ...history(6, 24, "2026-11-18T03:00:00.000Z"),
    backupAt("2026-11-19T03:00:00.000Z", { proved_at: "2026-11-19T05:00:00.000Z" }),
    backupAt("2026-11-20T03:00:00.000Z", { hold: { at: "x", by: "y", reason: "before the move" } }),
    backupAt("2026-11-21T03:00:00.000Z", { last_read_at: "2026-11-22T03:30:00.000Z" }),
    backupAt("2026-11-22T03:00:00.000Z", { verification_failed: DAMAGED }),
  ];
  const cases: [string, Partial<Retention>, WatchedBackup[]][] = [
    ["grandfather-father-son", { keep_daily: 7, keep_weekly: 4, keep_monthly: 12, keep_yearly: 3 }, twoYears],
    ["last-five", { keep_last: 5 }, twoYears],
    ["hourly-by-day", { keep_last: 4, keep_daily: 2 }, hourly],
    ["weeks-over-new-year", { keep_weekly: 6 }, history(60, 24, "2027-01-20T23:59:59.999Z")],
    ["min-keep-of-few", { keep_yearly: 1, min_keep: 3 }, history(5, 24)],
    ["held-proved-read-damaged", { keep_last: 1 }, special],
    ["nothing-yet", { keep_daily: 7 }, []],
  ];
  test.each(cases)("%s", async (name, rules, backups) => {
    const plan = planRetention(Retention.parse(rules), backups, NOW);
    await expect(text(plan)).toMatchFileSnapshot(join(GOLDEN, `${name}.txt`));
  });
});

test("ISO weeks are those of the calendar", () => {
  const weeks = {
    "2026-01-01": "2026-W01",
    "2027-01-01": "2026-W53",
    "2027-01-04": "2027-W01",
    "2024-12-30": "2025-W01",
    "2021-01-03": "2020-W53",
    "2026-11-22": "2026-W47",
  };
  for (const [day, week] of Object.entries(weeks)) {
    expect([day, bucketOf("weekly", `${day}T12:00:00.000Z`)]).toEqual([day, week]);
  }
});

test("a policy that says nothing is refused", () => {
  for (const body of [{}, { min_keep: 3 }, { keep_daily: 0 }]) {
    expect([body, Retention.safeParse(body).success]).toEqual([body, false]);
  }
  expect(Retention.safeParse({ keep_daily: 7, keep_hourly: 2 }).success).toBe(false);
});

describe("whatever the policy and the history", () => {
  const count = fc.nat(8);
  const policy: fc.Arbitrary<Retention> = fc.record({
    ...{ keep_last: count, keep_daily: count, keep_weekly: count, keep_monthly: count, keep_yearly: count },
    min_keep: fc.integer({ min: 1, max: 8 }),
  });
  const START = Date.parse("2024-12-01T00:00:00.000Z");
  const SPAN_HOURS = 17_000;
  const backups = fc
    .uniqueArray(fc.nat(SPAN_HOURS), { maxLength: 60 })
    .chain((hours) => fc.tuple(...hours.map((hour) => fc.tuple(fc.constant(hour), fc.nat(11), fc.boolean()))))
    .map((all) =>
      all.map(([hour, kind, proved]) =>
        backupAt(new Date(START + hour * 3_600_000).toISOString(), {
          ...(kind === 0 ? { hold: { at: "x", by: "y" } } : {}),
          ...(kind === 1 ? { verification_failed: DAMAGED } : {}),
          ...(kind === 2 ? { last_read_at: new Date(NOW.getTime() - 60_000).toISOString() } : {}),
          ...(proved ? { proved_at: "2026-01-01T00:00:00.000Z" } : {}),
        }),
      ),
    );
  const kept = (rules: Retention, all: readonly WatchedBackup[]): Set<string> =>
    new Set(planRetention(rules, all, NOW).keep.map(({ backup }) => backup.id));
  const isGood = (backup: WatchedBackup): boolean => backup.verification_failed === undefined;

  test("each backup is either kept with a reason or removed with one, never both", () => {
    fc.assert(
      fc.property(policy, backups, (rules, all) => {
        const { keep, remove } = planRetention(rules, all, NOW);
        const ids = [...keep, ...remove].map(({ backup }) => backup.id);
        expect(ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
        for (const { reasons } of [...keep, ...remove]) expect(reasons.length).toBeGreaterThan(0);
      }),
    );
  });

  test("the newest good, the newest proved, the held and the damaged stay, and no fewer than min_keep", () => {
    fc.assert(
      fc.property(policy, backups, (rules, all) => {
        const stays = kept(rules, all);
        const good = all.filter(isGood).sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
        const must = [
          good[0],
          good.find((backup) => backup.proved_at !== undefined),
          ...all.filter((backup) => backup.hold !== undefined || !isGood(backup)),
          ...good.slice(0, rules.min_keep),
        ];
        for (const backup of must) if (backup !== undefined) expect(stays).toContain(backup.id);
      }),
    );
  });

  test("a more generous policy never removes more", () => {
    const more = fc.record({
      rule: fc.constantFrom(...(Object.keys(NONE) as (keyof Retention)[])),
      by: fc.nat(5),
    });
    fc.assert(
      fc.property(policy, backups, more, (rules, all, { rule, by }) => {
        const generous = kept({ ...rules, [rule]: rules[rule] + by }, all);
        for (const id of kept(rules, all)) expect(generous).toContain(id);
      }),
    );
  });

  test("the order of the records means nothing", () => {
    const shuffled = backups.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(policy, shuffled, (rules, [all, other]) => {
        expect(planRetention(rules, other, NOW)).toEqual(planRetention(rules, all, NOW));
      }),
    );
  });

  test("a second run finds nothing left to remove", () => {
    fc.assert(
      fc.property(policy, backups, (rules, all) => {
        const stays = kept(rules, all);
        const left = all.filter(({ id }) => stays.has(id));
        expect(planRetention(rules, left, NOW).remove).toEqual([]);
      }),
    );
  });

  test("time alone removes nothing that is not being read", () => {
    fc.assert(
      fc.property(policy, backups, fc.nat(100_000), (rules, all, hours) => {
        const unread = all.map(({ last_read_at: _read, ...backup }) => backup);
        const muchLater = new Date(NOW.getTime() + hours * 3_600_000);
        expect(planRetention(rules, unread, muchLater)).toEqual(planRetention(rules, unread, NOW));
      }),
    );
  });
});
