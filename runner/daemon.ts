// `backupd run`: cleans up, then polls, beats and empties the outbox side by side until it is told to stop.
import type { Clock } from "./clock.ts";
import { type HeartbeatDeps, runHeartbeats } from "./heartbeat.ts";
import type { Log } from "./io/log.ts";
import type { Outbox } from "./io/outbox.ts";
import { lockStateDir } from "./io/state-dir.ts";
import { runRestoreTimer } from "./keep-restores.ts";
import { type LoopDeps, runLoop, untilItWorks } from "./loop.ts";
import { type Backoff, backoffAtLeastHalfMs } from "./plan/backoff.ts";
import { type SettleUploadsDeps, settleUploads } from "./settle-uploads.ts";
import { cleanDisk, type StartupDeps } from "./startup.ts";

export type DaemonDeps = LoopDeps & HeartbeatDeps & StartupDeps & SettleUploadsDeps;

const OUTBOX_WAIT: Backoff = { baseMs: 60_000, capMs: 10 * 60_000 };

const UPLOADS_EVERY_MS = 3_600_000;

interface OutboxTimerDeps {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Log;
}

/** For what a flush right after its job could not send; the waits grow as long as nothing gets through. */
export async function runOutboxTimer(stop: AbortSignal, deps: OutboxTimerDeps): Promise<never> {
  for (let tries = 0; ; tries += 1) {
    try {
      const { sent, waiting } = await deps.outbox.flush(stop);
      if (sent > 0 || waiting === 0) tries = 0;
    } catch (error) {
      stop.throwIfAborted();
      deps.log.error("outbox.flush_failed", { error });
    }
    await deps.clock.sleep(backoffAtLeastHalfMs(OUTBOX_WAIT, tries, deps.clock.random()), stop);
  }
}

/** For uploads that no attempt comes back to: they end when they are too old. */
async function runUploadTimer(stop: AbortSignal, deps: SettleUploadsDeps): Promise<never> {
  for (;;) {
    await deps.clock.sleep(UPLOADS_EVERY_MS, stop);
    await settleUploads(stop, deps);
  }
}

/**
 * Resolves after `stop` aborted and everything has been put away. Throws BackupError (`already_running`), or what
 * a task threw that must never throw; then the others are stopped first.
 */
export async function runDaemon(stop: AbortSignal, deps: DaemonDeps): Promise<void> {
  using _lock = lockStateDir(deps.state);
  const { log, source } = deps;
  const broken = new AbortController();
  const anyStop = AbortSignal.any([stop, broken.signal]);
  log.info("daemon.started", { version: deps.version, state_dir: deps.state.path });

  /** A task ends by being stopped; if it breaks, it takes the others with it. */
  async function untilStopped(task: Promise<never>): Promise<void> {
    try {
      await task;
    } catch (error) {
      if (anyStop.aborted) return;
      broken.abort(error);
      throw error;
    }
  }

  async function work(): Promise<void> {
    await untilItWorks("master.away", () => source.current(), anyStop, deps);
    await settleUploads(anyStop, deps);
    const tasks = [
      runLoop(anyStop, deps),
      runHeartbeats(anyStop, deps),
      runOutboxTimer(anyStop, deps),
      runUploadTimer(anyStop, deps),
    ];
    const ends = await Promise.allSettled(tasks.map(untilStopped));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  await cleanDisk(deps);
  const working = work().catch((error: unknown) => {
    if (!stop.aborted || error !== stop.reason) throw error;
  });
  // Also while the Master is away: the sites are not its.
  const ends = await Promise.allSettled([working, untilStopped(runRestoreTimer(anyStop, deps))]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  log.info("daemon.stopped");
}
