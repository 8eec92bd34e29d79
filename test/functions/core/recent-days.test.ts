// The thirty letters behind each row of the fleet's grid.
import { expect, test } from "vitest";
import { recentDaysAfter } from "#functions/core/recent-days.ts";
import type { JobState } from "#shared/contracts/jobs.ts";
import type { RecentDays } from "#shared/contracts/sites.ts";

const after = (days: RecentDays | undefined, state: JobState, day: string): RecentDays | undefined =>
  recentDaysAfter(days, state, `${day}T12:00:00.000Z`);

test("each day keeps what happened on it, and the window moves on", () => {
  let days = after(undefined, "succeeded", "2030-01-01");
  days = after(days, "failed", "2030-01-03");
  days = after(days, "succeeded", "2030-01-04");
  days = after(days, "failed", "2030-01-04");
  expect(days).toEqual({ until: "2030-01-04", outcomes: `${"-".repeat(26)}s-fm` });
  days = after(days, "succeeded", "2030-02-02");
  expect(days).toEqual({ until: "2030-02-02", outcomes: `m${"-".repeat(28)}s` });
  expect(after(days, "skipped", "2031-01-01")).toEqual({
    until: "2031-01-01",
    outcomes: `${"-".repeat(29)}f`,
  });
});

test("a job that ended on an earlier day marks that day", () => {
  const days = after(after(undefined, "succeeded", "2030-01-10"), "expired", "2030-01-08");
  expect(days).toEqual({ until: "2030-01-10", outcomes: `${"-".repeat(27)}f-s` });
  expect(after(days, "failed", "2029-01-01")).toEqual(days);
});

test("a stopped job leaves no mark", () => {
  expect(after(undefined, "cancelled", "2030-01-10")).toBeUndefined();
  const days = after(undefined, "succeeded", "2030-01-10");
  expect(after(days, "cancelled", "2030-01-12")).toEqual(days);
});
