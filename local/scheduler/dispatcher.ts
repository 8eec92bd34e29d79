// Sends what is due, when it is due: one timer for the earliest schedule or retry, never more than a few
// deliveries at a time, and every step in the store before and after it is taken.
import {
  afterFailure,
  deadLetterAttributes,
  type Invocation,
  LONGEST_BACKOFF_MS,
  messageBody,
} from "./invocation.ts";
import { fire, planNext } from "./plan-next.ts";
import type { SchedulerStore } from "./store.ts";

/** Also notices within this time that the machine slept or its clock was set, and keeps setTimeout in range. */
export const LONGEST_SLEEP_MS = 30_000;
const DELIVERIES_AT_ONCE = 16;
const BATCH = 200;
/** After the store refused a write. */
const TRY_AGAIN_MS = 5000;
const DEAD_LETTER_RETRY_MS = 60_000;
const DEAD_LETTER_DAYS = 14;

export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Only a dead letter has some: what went wrong with it. */
  readonly messageAttributes: Readonly<Record<string, string>>;
}

/** Puts a message into a queue; throws if it did not. */
export type Deliver = (queueArn: string, body: string, attempt: Attempt) => Promise<void>;
/** Calls back once after about that long; the returned function cancels. */
export type Wake = (delayMs: number, callback: () => void) => () => void;
export type Log = (event: string, fields: Readonly<Record<string, unknown>>) => void;

export interface DispatcherDeps {
  readonly store: SchedulerStore;
  readonly now: () => Date;
  readonly wake: Wake;
  readonly deliver: Deliver;
  readonly log: Log;
}

export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #underWay = new Map<string, Promise<void>>();
  #cancelTimer: () => void = () => undefined;
  readonly #closing = Promise.withResolvers<void>();
  #closed = false;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
  }

  /** Looks at the clock and the store now; call it after every change to a schedule. */
  poke(): void {
    if (this.#closed) return;
    this.#cancelTimer();
    let sleepMs = TRY_AGAIN_MS;
    try {
      const nowMs = this.#deps.now().getTime();
      this.#replanAfterClockWasSetBack(nowMs);
      this.#fireDue(nowMs);
      this.#startDeliveries(nowMs);
      sleepMs = this.#sleepMs(nowMs);
    } catch (error) {
      // A full disk, say: nothing was fired that is not stored, so trying again loses nothing.
      this.#deps.log("scheduler_tick_failed", { error });
    }
    this.#cancelTimer = this.#deps.wake(sleepMs, () => this.poke());
  }

  /** Resolves when nothing is being delivered at this moment. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  /** Starts nothing more and waits for the deliveries under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.resolve();
    this.#cancelTimer();
    await this.idle();
  }

  #replanAfterClockWasSetBack(nowMs: number): void {
    const { store, log } = this.#deps;
    store.pullAttemptsTo(nowMs + LONGEST_BACKOFF_MS);
    for (;;) {
      const schedules = store.computedAfter(nowMs, BATCH);
      if (schedules.length === 0) return;
      log("scheduler_clock_set_back", { schedules: schedules.length });
      store.transaction(() => {
        for (const schedule of schedules) store.putSchedule(planNext(schedule, nowMs));
      });
    }
  }

  #fireDue(nowMs: number): void {
    const { store, log } = this.#deps;
    for (;;) {
      const schedules = store.dueSchedules(nowMs, BATCH);
      if (schedules.length === 0) return;
      store.transaction(() => {
        for (const schedule of schedules) {
          const { moved, invocation } = fire(schedule, nowMs);
          store.putSchedule(moved);
          if (invocation) store.addInvocation(invocation);
          else {
            log("schedule_missed", { schedule: schedule.arn, scheduled_ms: schedule.nextScheduledMs });
            store.deleteIfCompleted(schedule.arn);
          }
        }
      });
    }
  }

  #startDeliveries(nowMs: number): void {
    for (const invocation of this.#deps.store.nextInvocations(DELIVERIES_AT_ONCE + this.#underWay.size)) {
      if (invocation.nextAttemptMs > nowMs || this.#underWay.size >= DELIVERIES_AT_ONCE) return;
      if (this.#underWay.has(invocation.id)) continue;
      const work = this.#deliver(invocation).finally(() => {
        this.#underWay.delete(invocation.id);
        this.poke();
      });
      this.#underWay.set(invocation.id, work);
    }
  }

  async #deliver(invocation: Invocation): Promise<void> {
    const { store, now, deliver } = this.#deps;
    const attempts = invocation.attempts + 1;
    const buried = invocation.failure !== undefined;
    const target = buried ? (invocation.target.DeadLetterConfig?.Arn ?? "") : invocation.target.Arn;
    const messageAttributes = buried ? deadLetterAttributes(invocation) : {};
    const body = messageBody(invocation, buried ? invocation.attempts : attempts);
    try {
      await deliver(target, body, { number: attempts, messageAttributes });
    } catch (error) {
      await this.#record(() => this.#afterFailure(invocation, attempts, now().getTime(), error));
      return;
    }
    await this.#record(() =>
      store.transaction(() => {
        store.deleteInvocation(invocation.id);
        store.deleteIfCompleted(invocation.scheduleArn);
      }),
    );
  }

  #afterFailure(invocation: Invocation, attempts: number, nowMs: number, error: unknown): void {
    const { store, log } = this.#deps;
    const fields = {
      schedule: invocation.scheduleArn,
      execution_id: invocation.id,
      attempt: attempts,
      error,
    };
    if (invocation.failure !== undefined) {
      const lost = nowMs > invocation.dueMs + DEAD_LETTER_DAYS * 86_400_000;
      log(lost ? "dead_letter_lost" : "dead_letter_failed", fields);
      if (lost) store.deleteInvocation(invocation.id);
      else
        store.postponeInvocation(
          invocation.id,
          invocation.attempts,
          nowMs + DEAD_LETTER_RETRY_MS,
          invocation.failure,
        );
      return;
    }
    const decision = afterFailure(invocation, attempts, nowMs);
    log(`delivery_failed_${decision.next}`, fields);
    const message = error instanceof Error ? error.message : String(error);
    if (decision.next === "retry")
      store.postponeInvocation(invocation.id, attempts, decision.atMs, undefined);
    else if (decision.next === "dead-letter")
      store.postponeInvocation(invocation.id, attempts, nowMs, message);
    else {
      store.transaction(() => {
        store.deleteInvocation(invocation.id);
        store.deleteIfCompleted(invocation.scheduleArn);
      });
    }
  }

  /** A result that cannot be stored must not be forgotten, or the message is sent again: tries until it can. */
  async #record(write: () => void): Promise<void> {
    for (;;) {
      try {
        write();
        return;
      } catch (error) {
        this.#deps.log("scheduler_record_failed", { error });
        if (this.#closed) return;
      }
      let cancel: () => void = () => undefined;
      const later = new Promise<void>((resolve) => {
        cancel = this.#deps.wake(TRY_AGAIN_MS, resolve);
      });
      await Promise.race([later, this.#closing.promise]);
      cancel();
    }
  }

  #sleepMs(nowMs: number): number {
    const { store } = this.#deps;
    // With all places taken, the end of a delivery wakes us.
    const waiting = store
      .nextInvocations(this.#underWay.size + 1)
      .find((invocation) => !this.#underWay.has(invocation.id));
    const full = this.#underWay.size >= DELIVERIES_AT_ONCE;
    const retryMs = full ? undefined : waiting?.nextAttemptMs;
    const earliestMs = Math.min(
      store.earliestDueMs() ?? Number.POSITIVE_INFINITY,
      retryMs ?? Number.POSITIVE_INFINITY,
    );
    return Math.max(0, Math.min(LONGEST_SLEEP_MS, earliestMs - nowMs));
  }
}
