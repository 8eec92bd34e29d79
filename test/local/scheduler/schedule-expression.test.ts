// What the three kinds of expressions mean (golden) and which are refused, time zones and leap days included.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BackupError } from "#shared/errors.ts";
import {
  nextRuns,
  parseExpression,
  parseTimeZone,
  type ScheduleTiming,
} from "#shared/schedule-expression.ts";

function timing(text: string, timeZone = "UTC", more: Partial<ScheduleTiming> = {}): ScheduleTiming {
  return { expression: parseExpression(text), timeZone, anchor: new Date("2026-01-01T00:00:00Z"), ...more };
}

const runs = (text: string, after: string, count = 3, timeZone = "UTC"): string[] =>
  nextRuns(timing(text, timeZone), new Date(after), count).map((run) => run.toISOString().slice(0, 16));

describe("cron", () => {
  test.each([
    ["cron(30 2 * * ? *)", ["2026-01-01T02:30", "2026-01-02T02:30", "2026-01-03T02:30"]],
    ["cron(0/25 9 ? * MON-FRI *)", ["2026-01-01T09:00", "2026-01-01T09:25", "2026-01-01T09:50"]],
    ["cron(10-20/5 0 1 * ? *)", ["2026-01-01T00:10", "2026-01-01T00:15", "2026-01-01T00:20"]],
    ["cron(5,35 14 * * ? *)", ["2026-01-01T14:05", "2026-01-01T14:35", "2026-01-02T14:05"]],
    ["cron(0 8 1 1/3 ? *)", ["2026-01-01T08:00", "2026-04-01T08:00", "2026-07-01T08:00"]],
    ["cron(0 8 1 JAN,mar,Dec ? *)", ["2026-01-01T08:00", "2026-03-01T08:00", "2026-12-01T08:00"]],
    ["cron(0 8 L * ? *)", ["2026-01-31T08:00", "2026-02-28T08:00", "2026-03-31T08:00"]],
    ["cron(0 8 15W * ? *)", ["2026-01-15T08:00", "2026-02-16T08:00", "2026-03-16T08:00"]],
    ["cron(0 8 1W * ? *)", ["2026-01-01T08:00", "2026-02-02T08:00", "2026-03-02T08:00"]],
    ["cron(0 8 ? * 3#2 *)", ["2026-01-13T08:00", "2026-02-10T08:00", "2026-03-10T08:00"]],
    ["cron(0 8 ? * TUE#2 *)", ["2026-01-13T08:00", "2026-02-10T08:00", "2026-03-10T08:00"]],
    ["cron(0 8 ? * 6L *)", ["2026-01-30T08:00", "2026-02-27T08:00", "2026-03-27T08:00"]],
    ["cron(0 8 ? * FRIL *)", ["2026-01-30T08:00", "2026-02-27T08:00", "2026-03-27T08:00"]],
    ["cron(0 8 ? * L *)", ["2026-01-03T08:00", "2026-01-10T08:00", "2026-01-17T08:00"]],
    ["cron(0 8 ? * 1 *)", ["2026-01-04T08:00", "2026-01-11T08:00", "2026-01-18T08:00"]],
    ["cron(0 8 29 2 ? *)", ["2028-02-29T08:00", "2032-02-29T08:00", "2036-02-29T08:00"]],
    ["cron(0 8 1 1 ? 2026,2030-2040/5)", ["2026-01-01T08:00", "2030-01-01T08:00", "2035-01-01T08:00"]],
    ["cron(0 8 30 2 ? *)", []],
    ["cron(0 8 * * ? 1999)", []],
    ["cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)", ["2026-01-01T08:00", "2026-01-01T08:01", "2026-01-01T08:02"]],
    ["cron(1-31/30 1-1 ? * 1,7 *)", ["2026-01-03T01:01", "2026-01-03T01:31", "2026-01-04T01:01"]],
  ])("%s", (text, expected) => {
    expect(runs(text, "2025-12-31T23:59:30Z")).toEqual(expected);
  });

  test("the time itself is not after itself; the last millisecond before it is", () => {
    expect(runs("cron(30 2 * * ? *)", "2026-01-01T02:30:00.000Z", 1)).toEqual(["2026-01-02T02:30"]);
    expect(runs("cron(30 2 * * ? *)", "2026-01-01T02:29:59.999Z", 1)).toEqual(["2026-01-01T02:30"]);
  });

  test.each([
    ["Europe/Berlin", "2026-03-28T12:00:00Z", ["2026-03-30T00:30", "2026-03-31T00:30"]],
    ["America/New_York", "2026-03-07T12:00:00Z", ["2026-03-09T06:30", "2026-03-10T06:30"]],
  ])("a time that the clocks jump over is skipped (%s)", (zone, after, expected) => {
    expect(runs("cron(30 2 * * ? *)", after, 2, zone)).toEqual(expected);
  });

  test.each([
    ["Europe/Berlin", "cron(30 2 * * ? *)", "2026-10-24T12:00:00Z", ["2026-10-25T00:30", "2026-10-26T01:30"]],
    [
      "America/New_York",
      "cron(30 1 * * ? *)",
      "2026-10-31T12:00:00Z",
      ["2026-11-01T05:30", "2026-11-02T06:30"],
    ],
    // Half-hour steps too: the second pass of the repeated hour is silent, whichever pass `after` is in.
    [
      "Europe/Berlin",
      "cron(0/30 * * * ? *)",
      "2026-10-25T00:00:00Z",
      ["2026-10-25T00:30", "2026-10-25T02:00"],
    ],
    [
      "Europe/Berlin",
      "cron(0/30 * * * ? *)",
      "2026-10-25T01:10:00Z",
      ["2026-10-25T02:00", "2026-10-25T02:30"],
    ],
  ])("a time that occurs twice runs once (%s %s)", (zone, text, after, expected) => {
    expect(runs(text, after, 2, zone)).toEqual(expected);
  });

  test("holds in any zone: strictly increasing, after `after`, at the wall time asked for", () => {
    const zones = [
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
      "Africa/Casablanca",
    ];
    const property = fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      fc.date({ min: new Date("2024-01-01"), max: new Date("2030-01-01"), noInvalidDate: true }),
      (zone, hour, minute, after) => {
        const found = nextRuns(timing(`cron(${minute} ${hour} * * ? *)`, zone), after, 5);
        const clock = new Intl.DateTimeFormat("en-GB", {
          timeZone: zone,
          hour: "2-digit",
          minute: "2-digit",
        });
        const wanted = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
        expect(found.map((run) => clock.format(run))).toEqual(Array.from({ length: 5 }, () => wanted));
        for (const [index, run] of found.entries()) {
          expect(run.getTime()).toBeGreaterThan((found[index - 1] ?? after).getTime());
          expect(run.getTime() - (found[index - 1] ?? after).getTime()).toBeLessThanOrEqual(49.5 * 3_600_000);
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});

describe("rate and at", () => {
  test("a rate is a beat in elapsed time: a day is 24 hours, also when clocks change", () => {
    const daily = timing("rate(1 day)", "Europe/Berlin", { anchor: new Date("2026-03-28T01:30:00Z") });
    const found = nextRuns(daily, new Date("2026-03-28T01:30:00Z"), 2);
    expect(found).toEqual([new Date("2026-03-29T01:30:00Z"), new Date("2026-03-30T01:30:00Z")]);
  });

  test("a rate's runs are its anchor and whole periods after it", () => {
    const property = fc.property(
      fc.integer({ min: 2, max: 999 }),
      fc.constantFrom(
        ["minutes", 60_000] as const,
        ["hours", 3_600_000] as const,
        ["days", 86_400_000] as const,
      ),
      fc.integer({ min: -1e11, max: 1e11 }),
      (value, [unit, unitMs], offsetMs) => {
        const anchor = new Date("2026-01-01T00:00:00Z");
        const after = anchor.getTime() + offsetMs;
        const [first, second] = nextRuns(timing(`rate(${value} ${unit})`), new Date(after), 2);
        const beats = ((first?.getTime() ?? Number.NaN) - anchor.getTime()) / (value * unitMs);
        expect(Number.isInteger(beats) && beats >= 0).toBe(true);
        expect(first?.getTime()).toBeGreaterThan(after);
        if (beats > 0) expect((first?.getTime() ?? 0) - after).toBeLessThanOrEqual(value * unitMs);
        expect((second?.getTime() ?? 0) - (first?.getTime() ?? 0)).toBe(value * unitMs);
      },
    );
    fc.assert(property);
  });

  test("start and end bound recurring schedules, both inclusive", () => {
    const bounds = { start: new Date("2026-01-05T08:00:00Z"), end: new Date("2026-01-07T08:00:00Z") };
    const found = nextRuns(timing("cron(0 8 * * ? *)", "UTC", bounds), new Date("2026-01-01T00:00:00Z"), 9);
    expect(found.map((run) => run.getUTCDate())).toEqual([5, 6, 7]);
  });

  test("at is local time, once; never if the clocks jump over it", () => {
    expect(runs("at(2026-07-01T02:30:00)", "2026-01-01T00:00:00Z", 5, "Europe/Berlin")).toEqual([
      "2026-07-01T00:30",
    ]);
    expect(runs("at(2026-10-25T02:30:00)", "2026-01-01T00:00:00Z", 5, "Europe/Berlin")).toEqual([
      "2026-10-25T00:30",
    ]);
    expect(runs("at(2026-03-29T02:30:00)", "2026-01-01T00:00:00Z", 5, "Europe/Berlin")).toEqual([]);
  });
});

describe("refused, with the reason", () => {
  test.each([
    ["0 2 * * *", "none of rate(), cron() and at()"],
    ["rate(1 hours)", '"1 hour"'],
    ["rate(5 minute)", '"5 minutes"'],
    ["rate(0 minutes)", "positive number"],
    ["rate(30 seconds)", "minute(s), hour(s) or day(s)"],
    ["rate(1.5 hours)", "positive number"],
    ["cron(0 2 * * *)", "six fields"],
    ["cron(0 2 * * * *)", "exactly one of day-of-month and day-of-week has to be ?"],
    ["cron(0 2 ? * ? *)", "exactly one of day-of-month and day-of-week has to be ?"],
    ["cron(60 2 * * ? *)", 'minutes: "60" is not 0-59'],
    ["cron(0 24 * * ? *)", 'hours: "24" is not 0-23'],
    ["cron(0 2 0 * ? *)", 'day-of-month: "0" is not 1-31'],
    ["cron(0 2 * 13 ? *)", 'month: "13" is not 1-12 or JAN-DEC'],
    ["cron(0 2 ? * 0 *)", 'day-of-week: "0" is not 1-7 or SUN-SAT'],
    ["cron(0 2 ? * MON#6 *)", "day-of-week"],
    ["cron(0 2 ? * 3#1,6#3 *)", "day-of-week"],
    ["cron(0 2 ? * FRI-MON *)", "runs backwards"],
    ["cron(0/0 2 * * ? *)", "no valid step"],
    ["cron(0/ 2 * * ? *)", "no valid step"],
    ["cron(1-2-3 2 * * ? *)", "is not a range"],
    ["cron(0 2 1,L * ? *)", "day-of-month"],
    ["cron(0 2 * * ? 1969)", 'year: "1969" is not 1970-2199'],
    ["cron(? 2 * * ? *)", "minutes"],
    ["cron(, 2 * * ? *)", "minutes"],
    ["at(2026-02-30T08:00:00)", "a real date"],
    ["at(2026-02-03 08:00)", "a real date"],
    ["at(2026-02-03T08:00:00Z)", "a real date"],
  ])("%s", (text, reason) => {
    expect(() => parseExpression(text)).toThrow(BackupError);
    expect(() => parseExpression(text)).toThrow(reason);
  });

  test("a time zone that is no IANA name", () => {
    expect(parseTimeZone("Europe/Berlin")).toBe("Europe/Berlin");
    expect(() => parseTimeZone("Mars/Olympus")).toThrow('Unknown time zone "Mars/Olympus"');
    expect(() => parseTimeZone("+02:00")).toThrow("Unknown time zone");
  });

  test("any other text ends in a parsed expression or our error, never in another one", () => {
    const piece = fc.constantFrom(
      "0",
      "?",
      "*",
      "L",
      "W",
      "#",
      "3#2",
      "15W",
      "MON",
      "-",
      "/",
      ",",
      "99",
      "5/5",
      "é",
    );
    const cron = fc.array(fc.array(piece, { maxLength: 3 }), { minLength: 6, maxLength: 6 });
    const property = fc.property(cron, (fields) => {
      try {
        parseExpression(`cron(${fields.map((parts) => parts.join("")).join(" ")})`);
      } catch (error) {
        expect(error).toBeInstanceOf(BackupError);
      }
    });
    fc.assert(property, { numRuns: 3000 });
  });
});
