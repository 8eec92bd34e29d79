// What the Activity page says of a change, without a brace.
import { expect, test } from "vitest";
import { detailsInWords } from "../../../dashboard/lib/activity-details.ts";

test("the name comes first, ids stay away, and everything has its unit", () => {
  expect(
    detailsInWords({
      site_id: "7f",
      quota_bytes: 50e9,
      flexible_minutes: 15,
      held: true,
      name: "shop.example",
    }),
  ).toEqual([
    ["name", "shop.example"],
    ["flexible", "15 minutes"],
    ["held", "yes"],
    ["quota", "50.0 GB"],
  ]);
});

test("lists and records are words, too", () => {
  const schedule = { expression: "cron(0 2 * * ? *)", time_zone: "UTC", enabled: false };
  expect(detailsInWords({ schedule, paths: ["a", "b"], before: null, exclude: [], more: {} })).toEqual([
    ["before", "none"],
    ["exclude", "none"],
    ["more", "none"],
    ["paths", "a, b"],
    ["schedule", "enabled no, expression Every day at 02:00, time zone UTC"],
  ]);
});
