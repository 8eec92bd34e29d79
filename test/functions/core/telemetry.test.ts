// What a call goes by, and what is counted of a decision.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { correlationOf } from "#functions/core/correlation.ts";
import type { Step } from "#functions/core/job-state.ts";
import { countsOf, METRICS } from "#functions/core/metrics.ts";
import type { JobRecord } from "#functions/core/records.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

test.each([
  [
    { "x-correlation-id": "deploy-2027/11", traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
    "deploy-2027/11",
  ],
  [{ traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }, TRACE],
  [{ "x-correlation-id": "short" }, "request"],
  [{ "x-correlation-id": 'forged"} {"level":"ERROR' }, "request"],
  [{ "x-correlation-id": `a${"b".repeat(128)}` }, "request"],
  [{ traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` }, "request"],
  [{ traceparent: `ff-${TRACE}-00f067aa0ba902b7-01` }, "request"],
  [{}, "request"],
])("of the headers %j, a call goes by %s", (headers, id) => {
  expect(correlationOf(headers, "request")).toBe(id);
});

function step(before: JobRecord["state"] | undefined, after: JobRecord["state"], reported = false): Step {
  const job = (state: JobRecord["state"]): JobRecord => ({ state, reported }) as JobRecord;
  return { jobs: [{ before: before === undefined ? undefined : job(before), after: job(after) }] };
}

test.each([
  [step(undefined, "queued"), []],
  [step("queued", "running"), ["JobsStarted"]],
  [step("running", "running"), []],
  [step("running", "succeeded"), ["JobsSucceeded"]],
  [step("running", "failed"), ["JobsFailed"]],
  [step("queued", "expired"), ["JobsExpired"]],
  [step("running", "skipped", true), ["QuotaSkips"]],
  [step("queued", "skipped"), []],
  [step("running", "cancelled"), []],
  [step("running", "queued"), []],
])("what becomes of jobs is counted once: %#", (decided, names) => {
  expect(countsOf(decided).map(({ name }) => name)).toEqual(names);
});

test("docs/OPERATIONS.md lists every metric", () => {
  const page = readFileSync(new URL("../../../docs/OPERATIONS.md", import.meta.url), "utf8");
  for (const name of Object.keys(METRICS)) expect(page).toContain(`\`${name}\``);
});
