import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Schedule } from "#shared/contracts/sites.ts";
import { parseExpression } from "#shared/schedule-expression.ts";
import { suggestSchedule } from "#shared/suggest-schedule.ts";

describe("a suggested schedule", () => {
  it("is a valid one, between 21:00 and 06:00, the same each time", () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const schedule = suggestSchedule(seed, "Europe/Berlin");
        expect(Schedule.parse(schedule)).toEqual(schedule);
        expect(parseExpression(schedule.expression).kind).toBe("cron");
        const hour = Number(/^cron\(\d+ (\d+) /.exec(schedule.expression)?.[1]);
        expect(hour >= 21 || hour < 6).toBe(true);
        expect(suggestSchedule(seed, "Europe/Berlin")).toEqual(schedule);
      }),
    );
  });

  it("spreads a fleet: no quarter of an hour has a quarter more than its share of the night", () => {
    const quarters = new Map<number, number>();
    const sites = 100_000;
    for (let site = 0; site < sites; site += 1) {
      const { expression } = suggestSchedule(`node-${site % 5000}/var/www/site${site}`, "UTC");
      const [, minute, hour] = /^cron\((\d+) (\d+) /.exec(expression) ?? [];
      const quarter = Number(hour) * 4 + Math.floor(Number(minute) / 15);
      quarters.set(quarter, (quarters.get(quarter) ?? 0) + 1);
    }
    expect(quarters.size).toBe(36);
    expect(Math.max(...quarters.values())).toBeLessThan((sites / 36) * 1.25);
  });
});
