// The daemon's heart: poll, work on one message, poll again. It stops polling while the Master is away, since
// each delivery that cannot be claimed brings a message nearer to the dead-letter queue.

import type { NodeConfig } from "#shared/contracts/nodes.ts";
import { asBackupError, type BackupError } from "#shared/errors.ts";
import { type HandleDeps, handleMessage } from "./handle-message.ts";
import type { JobQueue, QueueMessage } from "./io/queue.ts";
import { type Backoff, backoffAtLeastHalfMs } from "./plan/backoff.ts";

export interface LoopDeps extends HandleDeps {
  readonly openQueue: (place: NodeConfig["queue"]) => Promise<JobQueue>;
}

const PATIENCE: Backoff = { baseMs: 2_000, capMs: 60_000 };

/** Tries until it works or `stop` aborts; each failure is logged, the waits grow. */
export async function untilItWorks<T>(
  what: string,
  action: () => Promise<T>,
  stop: AbortSignal,
  deps: Pick<LoopDeps, "clock" | "log">,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await action();
    } catch (error) {
      stop.throwIfAborted();
      const waitMs = backoffAtLeastHalfMs(PATIENCE, tries, deps.clock.random());
      deps.log.warn(what, { wait_seconds: Math.ceil(waitMs / 1000), error });
      await deps.clock.sleep(waitMs, stop);
    }
  }
}

/** Runs until `stop` aborts; then the running job is given back before this rejects with the reason. */
export async function runLoop(stop: AbortSignal, deps: LoopDeps): Promise<never> {
  const { source, clock, log } = deps;
  let place: NodeConfig["queue"] | undefined;
  let queue: JobQueue | undefined;

  /** Follows the config: a node that was enrolled again has another queue. */
  async function queueOf(config: NodeConfig): Promise<JobQueue> {
    if (queue === undefined || JSON.stringify(place) !== JSON.stringify(config.queue)) {
      queue?.[Symbol.dispose]();
      queue = await deps.openQueue(config.queue);
      place = config.queue;
      log.info("queue.opened", { queue: config.queue.url });
    }
    return queue;
  }

  async function refreshed(): Promise<NodeConfig> {
    return untilItWorks("master.away", () => source.refresh(), stop, deps);
  }

  async function receive(from: JobQueue): Promise<QueueMessage | undefined> {
    let tries = 0;
    for (;;) {
      try {
        return await from.receive(stop);
      } catch (thrown) {
        stop.throwIfAborted();
        const error: BackupError = asBackupError(thrown, "queue_unreachable");
        const waitMs = backoffAtLeastHalfMs(PATIENCE, tries++, clock.random());
        log.warn("queue.away", { wait_seconds: Math.ceil(waitMs / 1000), error });
        await clock.sleep(waitMs, stop);
        // Its credentials or its address may be what is wrong.
        if ((await queueOf(await refreshed())) !== from) return undefined;
      }
    }
  }

  try {
    for (;;) {
      stop.throwIfAborted();
      const from = await queueOf(await source.current());
      const message = await receive(from);
      if (message === undefined) continue;
      const handled = await handleMessage(from, message, stop, deps);
      if (handled === "master_away") await refreshed();
    }
  } finally {
    queue?.[Symbol.dispose]();
  }
}
