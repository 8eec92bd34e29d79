// Time and chance as the runner sees them, in one record, so that tests drive lease, backoff and heartbeat
// without waiting.
import { setTimeout as delay } from "node:timers/promises";

export interface Clock {
  /** Wall-clock time: for names, reports and tokens only. */
  readonly now: () => Date;
  /** Milliseconds that never jump: for leases, deadlines and speeds. */
  readonly monotonicMs: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Rejects with the signal's reason when that comes first. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};
