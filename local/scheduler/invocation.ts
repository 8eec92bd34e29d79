// The scheduler's decisions, pure: which run of a schedule is due, what its message says, and what becomes of
// a delivery that failed. The clock, the store and the queue are somebody else's.
import { createHash } from "node:crypto";
import { runsAfter, type ScheduleTiming } from "#shared/schedule-expression.ts";
import type { Definition } from "./definition.ts";

/** How late a missed run may still be made up for when the schedule does not say. */
export const DEFAULT_CATCH_UP_MS = 15 * 60_000;
/** What AWS applies to a schedule without a retry policy. */
const DEFAULT_RETRIES = 185;
const DEFAULT_EVENT_AGE_MS = 86_400_000;
export const LONGEST_BACKOFF_MS = 300_000;
const HOUR_MS = 3_600_000;

export interface ScheduledRun {
  /** The time in the schedule; what the message tells, and what makes the execution id. */
  readonly scheduledMs: number;
  /** When it is sent: later by the schedule's place in its flexible window. */
  readonly dueMs: number;
}

export interface Invocation {
  readonly id: string;
  readonly scheduleArn: string;
  readonly scheduledMs: number;
  readonly dueMs: number;
  /** Deliveries tried so far. */
  readonly attempts: number;
  /** The failure that ended the deliveries; set once only the dead-letter queue is left. */
  readonly failure?: string | undefined;
  readonly target: Definition["Target"];
}

/** The first run strictly after `afterMs`. */
export function nextInvocation(
  timing: ScheduleTiming,
  delayMs: number,
  afterMs: number,
): ScheduledRun | undefined {
  const next = runsAfter(timing, new Date(afterMs)).next();
  return next.done ? undefined : { scheduledMs: next.value.getTime(), dueMs: next.value.getTime() + delayMs };
}

/**
 * Of the runs from `fromMs` on that are due at `nowMs`, the newest that is at most `catchUpMs` late: after a
 * time without us a schedule fires once, not once for each run it missed.
 */
export function newestDue(
  timing: ScheduleTiming,
  delayMs: number,
  span: { readonly fromMs: number; readonly nowMs: number; readonly catchUpMs: number },
): ScheduledRun | undefined {
  const untilMs = span.nowMs - delayMs;
  const oldestMs = Math.max(span.fromMs, untilMs - span.catchUpMs);
  // Look back in growing steps, so that a day of missed minutes costs one hour's worth of them.
  for (let stepMs = HOUR_MS; ; stepMs *= 8) {
    const sinceMs = Math.max(oldestMs, untilMs - stepMs);
    let newest: number | undefined;
    for (const run of runsAfter(timing, new Date(sinceMs - 1))) {
      if (run.getTime() > untilMs) break;
      newest = run.getTime();
    }
    if (newest !== undefined) return { scheduledMs: newest, dueMs: newest + delayMs };
    if (sinceMs === oldestMs) return undefined;
  }
}

/** A schedule's place in its flexible window: always the same, and evenly spread over the schedules. */
export function flexibleDelayMs(arn: string, window: Definition["FlexibleTimeWindow"]): number {
  if (window.Mode === "OFF") return 0;
  const hash = createHash("sha256").update(arn).digest().readUInt32BE(0);
  return (hash % (window.MaximumWindowInMinutes * 60)) * 1000;
}

/**
 * The same for every attempt, also across a crash, so that a job named after it exists once. (AWS promises
 * less: an id for "each attempted invocation".)
 */
export function executionId(scheduleArn: string, createdMs: number, scheduledMs: number): string {
  return createHash("sha256")
    .update(JSON.stringify([scheduleArn, createdMs, scheduledMs]))
    .digest("hex")
    .slice(0, 16);
}

/** The message: the target's Input, or AWS's default event, with the context attributes filled in. */
export function messageBody(invocation: Invocation, attempt: number): string {
  const values: Readonly<Record<string, string>> = {
    "schedule-arn": invocation.scheduleArn,
    "scheduled-time": isoSeconds(invocation.scheduledMs),
    "execution-id": invocation.id,
    "attempt-number": String(attempt),
  };
  const input = invocation.target.Input ?? defaultEvent(invocation.scheduleArn);
  return input.replaceAll(/<aws\.scheduler\.([a-z-]+)>/g, (whole, key: string) => values[key] ?? whole);
}

/** What AWS tells about a dead letter, as message attributes beside the unchanged body. */
export function deadLetterAttributes(invocation: Invocation): Record<string, string> {
  return {
    ERROR_CODE: "TARGET_DELIVERY_FAILED",
    ERROR_MESSAGE: (invocation.failure ?? "").slice(0, 1000),
    EXECUTION_ID: invocation.id,
    RETRY_ATTEMPTS: String(invocation.attempts - 1),
    SCHEDULED_TIME: isoSeconds(invocation.scheduledMs),
    SCHEDULE_ARN: invocation.scheduleArn,
    TARGET_ARN: invocation.target.Arn,
  };
}

export type AfterFailure =
  | { readonly next: "retry"; readonly atMs: number }
  | { readonly next: "dead-letter" }
  | { readonly next: "drop" };

/** What to do when the `attempts`-th delivery has failed at `nowMs`. */
export function afterFailure(invocation: Invocation, attempts: number, nowMs: number): AfterFailure {
  const policy = invocation.target.RetryPolicy;
  const ageMs = policy?.MaximumEventAgeInSeconds;
  const endMs = invocation.dueMs + (ageMs === undefined ? DEFAULT_EVENT_AGE_MS : ageMs * 1000);
  const atMs = nowMs + Math.min(LONGEST_BACKOFF_MS, 1000 * 2 ** Math.min(attempts - 1, 30));
  if (attempts <= (policy?.MaximumRetryAttempts ?? DEFAULT_RETRIES) && atMs <= endMs)
    return { next: "retry", atMs };
  return invocation.target.DeadLetterConfig?.Arn === undefined ? { next: "drop" } : { next: "dead-letter" };
}

/** How late a missed run of this schedule may be made up for. */
export function catchUpMs(definition: Definition): number {
  const seconds = definition.Target.RetryPolicy?.MaximumEventAgeInSeconds;
  return seconds === undefined ? DEFAULT_CATCH_UP_MS : seconds * 1000;
}

function defaultEvent(scheduleArn: string): string {
  const [, , , region, account] = scheduleArn.split(":");
  return JSON.stringify({
    version: "0",
    id: "<aws.scheduler.execution-id>",
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account,
    time: "<aws.scheduler.scheduled-time>",
    region,
    resources: ["<aws.scheduler.schedule-arn>"],
    detail: "{}",
  });
}

function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}
