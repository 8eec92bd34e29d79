// Where a schedule goes next, pure: from its definition, its history and the clock to the times the store keeps.
import { timingOf } from "./definition.ts";
import {
  catchUpMs,
  executionId,
  flexibleDelayMs,
  type Invocation,
  newestDue,
  nextInvocation,
} from "./invocation.ts";
import type { Schedule } from "./store.ts";

/** A last run further in the future than this was fired by a clock that has been corrected since. */
const IMPLAUSIBLE_MS = 86_400_000;

/** The schedule with its next run, the first that is neither past nor fired. */
export function planNext(schedule: Schedule, nowMs: number): Schedule {
  const { definition, arn, lastScheduledMs } = schedule;
  if (definition.State === "DISABLED") {
    return { ...schedule, nextScheduledMs: null, nextDueMs: null, computedMs: nowMs };
  }
  // The current second still counts: a rate's first run is the second in which it was made.
  const currentMs = Math.floor(nowMs / 1000) * 1000 - 1;
  const believable = lastScheduledMs !== null && lastScheduledMs <= nowMs + IMPLAUSIBLE_MS;
  const afterMs = believable ? Math.max(currentMs, lastScheduledMs) : currentMs;
  const delayMs = flexibleDelayMs(arn, definition.FlexibleTimeWindow);
  const next = nextInvocation(timingOf(definition, schedule.anchorMs), delayMs, afterMs);
  return {
    ...schedule,
    nextScheduledMs: next?.scheduledMs ?? null,
    nextDueMs: next?.dueMs ?? null,
    computedMs: nowMs,
  };
}

/** A due schedule moved on, and the run to deliver unless all that was missed is too old. */
export function fire(schedule: Schedule, nowMs: number): { moved: Schedule; invocation?: Invocation } {
  const { definition, arn } = schedule;
  const timing = timingOf(definition, schedule.anchorMs);
  const delayMs = flexibleDelayMs(arn, definition.FlexibleTimeWindow);
  const span = { fromMs: schedule.nextScheduledMs ?? nowMs, nowMs, catchUpMs: catchUpMs(definition) };
  const run = newestDue(timing, delayMs, span);
  // With a flexible window the next run may already be past while it waits for its place in the window.
  const passedMs = run?.scheduledMs ?? nowMs - delayMs;
  const next = nextInvocation(timing, delayMs, passedMs);
  const moved: Schedule = {
    ...schedule,
    lastScheduledMs: run?.scheduledMs ?? schedule.lastScheduledMs,
    nextScheduledMs: next?.scheduledMs ?? null,
    nextDueMs: next?.dueMs ?? null,
    computedMs: nowMs,
  };
  if (run === undefined) return { moved };
  const id = executionId(arn, schedule.createdMs, run.scheduledMs);
  return { moved, invocation: { id, scheduleArn: arn, ...run, attempts: 0, target: definition.Target } };
}
