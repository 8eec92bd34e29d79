// Holding a job: renewed at every beat, lost as soon as the Master says so or its time is over without an answer.
// Time counts from before each request was sent, on a clock that does not jump, so we never believe in a lease
// for longer than the Master does. The message's visibility is stretched at the same beat; losing that alone does
// not stop the work, since the fencing number decides and a redelivered message is told `lease_held`.
import type { Claim, Progress } from "#shared/contracts/jobs.ts";
import { asBackupError, BackupError } from "#shared/errors.ts";
import type { Clock } from "./clock.ts";
import type { Lease } from "./context.ts";
import type { Log } from "./io/log.ts";
import type { MasterClient } from "./io/master-client.ts";

export interface LeaseDeps {
  readonly claim: Claim;
  /** Monotonic time from before the claim was sent. */
  readonly claimedAtMs: number;
  /** Without retries of its own: the next beat is the retry. */
  readonly master: MasterClient;
  readonly getProgress: () => Progress;
  /** Hides the job's message for so many seconds more; absent if the job came without one. */
  readonly extendMessage?: (seconds: number) => Promise<void>;
  readonly beatSeconds: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The work stops this much before the lease's end, so that the last request cannot arrive after it. */
const MARGIN_SHARE = 0.1;
/** A message must not come back between two beats, even if some are lost or hang until their time limit. */
const BEATS_HIDDEN = 4;
const LEAST_HIDDEN_SECONDS = 60;

export type HeldLease = Lease & AsyncDisposable;

export function holdLease(deps: LeaseDeps): HeldLease {
  const { claim, master, clock, log } = deps;
  const leaseMs = claim.lease_seconds * 1000 * (1 - MARGIN_SHARE);
  const hiddenSeconds = Math.max(LEAST_HIDDEN_SECONDS, deps.beatSeconds * BEATS_HIDDEN);
  const lost = new AbortController();
  const stopped = new AbortController();
  let endsAtMs = deps.claimedAtMs + leaseMs;
  let renewing: Promise<void> | undefined;

  function abort(error: BackupError): void {
    if (lost.signal.aborted || stopped.signal.aborted) return;
    log.warn("lease.ended", { error });
    lost.abort(error);
  }

  function loseByTime(cause: unknown): void {
    const detail = "the Master did not answer until the lease's end";
    abort(
      new BackupError("lease_lost", {
        detail,
        cause,
        hint: "The job is tried again when the Master answers.",
      }),
    );
  }

  async function patch(): Promise<void> {
    const sentAtMs = clock.monotonicMs();
    const answer = await master.call("patchJob", {
      params: { id: claim.job.id },
      body: { fencing: claim.fencing, progress: deps.getProgress() },
      signal: AbortSignal.any([lost.signal, stopped.signal]),
    });
    if (answer.cancel_requested) throw new BackupError("cancelled");
    if (answer.state !== "running")
      throw new BackupError("lease_lost", { detail: `the job is ${answer.state}` });
    endsAtMs = sentAtMs + leaseMs;
  }

  /** One renewal; what ends the lease aborts it here, whoever asked. Throws what the Master said. */
  async function renewNow(): Promise<void> {
    try {
      await patch();
    } catch (thrown) {
      const error = asBackupError(thrown, "unexpected");
      if (ENDS_LEASE.has(error.code)) abort(error);
      throw error;
    }
  }

  function renewOnce(): Promise<void> {
    renewing ??= renewNow().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  async function beat(): Promise<void> {
    await renewOnce().catch((error: unknown) => {
      if (!stopped.signal.aborted && !lost.signal.aborted) log.warn("lease.beat_missed", { error });
    });
    await deps.extendMessage?.(hiddenSeconds).catch((error: unknown) => {
      log.warn("queue.hide_failed", { error });
    });
  }

  async function beats(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(deps.beatSeconds * 1000, signal);
      await beat();
    }
  }

  /** Apart from the beats, because a beat may hang in a request until after the end. */
  async function watchEnd(signal: AbortSignal): Promise<void> {
    while (clock.monotonicMs() < endsAtMs) await clock.sleep(endsAtMs - clock.monotonicMs(), signal);
    loseByTime(undefined);
  }

  const over = AbortSignal.any([lost.signal, stopped.signal]);
  const work = Promise.allSettled([beats(over), watchEnd(over)]);

  return {
    signal: lost.signal,
    async renew() {
      lost.signal.throwIfAborted();
      for (let tries = 0; ; tries += 1) {
        try {
          return await renewOnce();
        } catch (error) {
          lost.signal.throwIfAborted();
          log.warn("lease.renewal_retried", { error });
          await clock.sleep(Math.min(1000 * 2 ** tries, 10_000), over);
        }
      }
    },
    async [Symbol.asyncDispose]() {
      stopped.abort(new BackupError("lease_lost", { detail: "the lease was given back" }));
      await work;
    },
  };
}

const ENDS_LEASE: ReadonlySet<string> = new Set([
  "cancelled",
  "lease_lost",
  "job_ended",
  "not_found",
  "not_your_site",
]);
