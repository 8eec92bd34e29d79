// Who is protected: the rule that decides what an operator is told to look at.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobState } from "#shared/contracts/jobs.ts";
import type { Schedule } from "#shared/contracts/sites.ts";
import { type HealthFacts, openHealthRule } from "#shared/site-health.ts";

const NOW = new Date("2030-01-10T12:00:00.000Z");
const daily: Schedule = {
  expression: "cron(0 3 * * ? *)",
  time_zone: "UTC",
  flexible_minutes: 15,
  enabled: true,
};

function health(facts: Partial<HealthFacts>): string {
  const site = {
    state: "active" as const,
    created_at: "2029-06-01T00:00:00.000Z",
    schedule: daily,
    last_backup_at: "2030-01-10T03:05:00.000Z",
    last_job: null,
    ...facts,
  };
  return openHealthRule()(site, NOW);
}
const ended = (state: JobState, at: string): Partial<HealthFacts> => ({
  last_job: { id: "x", state, ended_at: at, code: null },
});

test("a site with a backup since its schedule last called for one is protected", () => {
  expect(health({})).toBe("protected");
  // At 12:00 the run of 03:00 is more than six hours late; the one before it does not count any more.
  expect(health({ last_backup_at: "2030-01-09T03:05:00.000Z" })).toBe("overdue");
});

test("a backup that is due but may still be at work is not overdue", () => {
  const schedule = { ...daily, expression: "cron(0 8 * * ? *)" };
  expect(health({ schedule, last_backup_at: "2030-01-09T08:01:00.000Z" })).toBe("protected");
  expect(health({ schedule, last_backup_at: "2030-01-08T08:01:00.000Z" })).toBe("overdue");
});

test.each([
  ["rate(1 hour)", "2030-01-10T04:00:00.000Z", "overdue"],
  ["rate(7 days)", "2030-01-04T00:10:00.000Z", "protected"],
  ["cron(0 3 ? * SUN *)", "2030-01-06T03:10:00.000Z", "protected"],
  ["cron(0 3 ? * SUN *)", "2030-01-05T03:10:00.000Z", "overdue"],
  ["cron(0 3 1 1 ? *)", "2030-01-01T03:10:00.000Z", "protected"],
  ["cron(0 3 1 1 ? *)", "2029-12-31T03:10:00.000Z", "overdue"],
  ["at(2030-01-09T03:00:00)", "2030-01-08T03:00:00.000Z", "overdue"],
  ["at(2030-01-12T03:00:00)", "2030-01-08T03:00:00.000Z", "protected"],
])("%s with a backup of %s is %s", (expression, lastBackupAt, expected) => {
  expect(health({ schedule: { ...daily, expression }, last_backup_at: lastBackupAt })).toBe(expected);
});

test("a failure since the last backup comes before everything but a pause", () => {
  expect(health(ended("failed", "2030-01-10T04:00:00.000Z"))).toBe("failing");
  expect(health(ended("skipped", "2030-01-10T04:00:00.000Z"))).toBe("failing");
  expect(health(ended("cancelled", "2030-01-10T04:00:00.000Z"))).toBe("protected");
  expect(health(ended("failed", "2030-01-10T02:00:00.000Z"))).toBe("protected");
  expect(health({ ...ended("failed", "2030-01-10T04:00:00.000Z"), last_backup_at: null })).toBe("failing");
  expect(health({ ...ended("failed", "2030-01-10T04:00:00.000Z"), state: "paused" })).toBe("paused");
});

test("without a backup, or without a schedule that runs, a site is unprotected", () => {
  expect(health({ last_backup_at: null })).toBe("unprotected");
  expect(health({ schedule: null })).toBe("unprotected");
  expect(health({ schedule: { ...daily, enabled: false } })).toBe("unprotected");
});

test("a rule that has been asked before says what a new one says", () => {
  const expressions = [
    "cron(0 3 * * ? *)",
    "rate(7 hours)",
    "cron(30 2 ? * SUN *)",
    "at(2030-01-09T03:00:00)",
  ];
  const asked = openHealthRule();
  const anHour = 3_600_000;
  fc.assert(
    fc.property(
      fc.constantFrom(...expressions),
      fc.constantFrom("UTC", "Europe/Berlin", "America/New_York"),
      fc.integer({ min: -2000, max: 9000 }),
      fc.integer({ min: 0, max: 200 }),
      (expression, time_zone, hours, age) => {
        const now = new Date(NOW.getTime() + (hours * anHour) / 4);
        const site = {
          state: "active" as const,
          created_at: "2029-12-24T11:00:00.000Z",
          schedule: { ...daily, expression, time_zone },
          last_backup_at: new Date(now.getTime() - age * anHour).toISOString(),
          last_job: null,
        };
        expect(asked(site, now)).toBe(openHealthRule()(site, now));
      },
    ),
    { numRuns: 500 },
  );
});
