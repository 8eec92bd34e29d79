// Plain words and expressions have to be two ways to say the same: what an operator sees is what will run.
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExpression } from "#shared/schedule-expression.ts";
import {
  fromExpression,
  inWords,
  type PlainSchedule,
  toExpression,
  WEEKDAYS,
} from "../../../dashboard/lib/schedule-words.ts";

const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map((parts) => parts.map((part) => String(part).padStart(2, "0")).join(":"));
const plainSchedule: fc.Arbitrary<PlainSchedule> = fc.oneof(
  fc.record({ kind: fc.constant("hourly" as const), minute: fc.integer({ min: 0, max: 59 }) }),
  fc.record({ kind: fc.constant("daily" as const), time }),
  fc.record({
    kind: fc.constant("weekly" as const),
    time,
    days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
  }),
  fc.record({
    kind: fc.constant("monthly" as const),
    time,
    day: fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant("L" as const)),
  }),
);

test("every plain schedule is a valid expression that reads back as itself", () => {
  fc.assert(
    fc.property(plainSchedule, (plain) => {
      const expression = toExpression(plain);
      expect(parseExpression(expression).kind).toBe("cron");
      expect(fromExpression(expression)).toEqual(plain);
    }),
  );
});

test.each([
  "rate(12 hours)",
  "at(2031-05-04T02:30:00)",
  "cron(0 3 ? * MON-FRI *)",
  "cron(0/15 * * * ? *)",
  "cron(0 3 1 1 ? *)",
  "cron(0 3 ? * 3#2 *)",
  "cron(0 3 * * ? 2031)",
  "nonsense",
])("%s stays an expression, unchanged", (expression) => {
  const plain = fromExpression(expression);
  expect(plain).toEqual({ kind: "custom", expression });
  expect(toExpression(plain)).toBe(expression);
});

test.each([
  ["cron(0 * * * ? *)", "Every hour"],
  ["cron(30 2 * * ? *)", "Every day at 02:30"],
  ["cron(0 3 ? * MON,FRI *)", "Every Monday, Friday at 03:00"],
  ["cron(0 3 L * ? *)", "On the last day of each month at 03:00"],
  ["rate(12 hours)", "Every 12 hours"],
  ["rate(1 day)", "Every day"],
])("%s is said as: %s", (expression, words) => {
  expect(inWords(expression)).toBe(words);
});
