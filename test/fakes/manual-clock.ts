// A clock that stands still until a test moves it: sleepers wake in the order of their time, and everything they
// start is given the chance to run before the next one wakes.
import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "#runner/clock.ts";

export interface ManualClock extends Clock {
  /** How many sleep right now. */
  readonly sleepers: number;
  /** Resolves when at least so many sleep. */
  untilAsleep(count: number): Promise<void>;
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export function manualClock(startedAt = "2026-01-01T00:00:00.000Z"): ManualClock {
  const sleepers = new Set<Sleeper>();
  const changed = new EventTarget();
  let nowMs = 0;
  return {
    now: () => new Date(Date.parse(startedAt) + nowMs),
    monotonicMs: () => nowMs,
    random: () => 0.5,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sleeper: Sleeper = { atMs: nowMs + ms, wake: resolve };
      const abort = (): void => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      sleepers.add(sleeper);
      changed.dispatchEvent(new Event("change"));
      try {
        await promise;
      } finally {
        sleepers.delete(sleeper);
        signal.removeEventListener("abort", abort);
      }
    },
    get sleepers() {
      return sleepers.size;
    },
    async untilAsleep(count) {
      while (sleepers.size < count) {
        await new Promise((resolve) => {
          changed.addEventListener("change", resolve, { once: true });
        });
      }
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        const next = [...sleepers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        nowMs = Math.max(nowMs, next.atMs);
        sleepers.delete(next);
        next.wake();
        for (let turns = 0; turns < 5; turns += 1) await turn();
      }
      nowMs = untilMs;
    },
  };
}
