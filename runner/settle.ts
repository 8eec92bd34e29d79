// How the end of a job is made to stick: a report that cannot be lost, or the job given back.
import type { Claim } from "#shared/contracts/jobs.ts";
import type { BackupError } from "#shared/errors.ts";
import type { Clock } from "./clock.ts";
import { writeLastResult } from "./io/last-results.ts";
import type { Log } from "./io/log.ts";
import type { MasterClient } from "./io/master-client.ts";
import type { Outbox } from "./io/outbox.ts";
import { callWithRetry } from "./io/retrying-master.ts";
import type { StateDir } from "./io/state-dir.ts";
import { type Outcome, sendOutcome } from "./outcome.ts";
import { toErrorReport } from "./plan/error-class.ts";

export interface SettleDeps {
  readonly state: StateDir;
  readonly outbox: Outbox;
  /** Without retries; those are added here. */
  readonly master: MasterClient;
  readonly clock: Clock;
  readonly log: Log;
  /** What the job goes by; its report does, too, however late it is sent. */
  readonly correlationId?: string;
}

interface Patience {
  readonly master: MasterClient;
  readonly signal: AbortSignal;
}

const DEADLINE_MS = 120_000;
/** While the runner is stopping, a service manager waits for us. */
const STOPPING_DEADLINE_MS = 4_000;

function patience(stop: AbortSignal, { master, clock }: SettleDeps): Patience {
  const deadlineMs = stop.aborted ? STOPPING_DEADLINE_MS : DEADLINE_MS;
  const signal = stop.aborted ? AbortSignal.timeout(STOPPING_DEADLINE_MS) : stop;
  return { master: callWithRetry(master, { clock, deadlineMs }), signal };
}

/**
 * Puts the report where it cannot be lost. A full disk must not hide how the job ended: then it goes at once, and
 * this throws only if that fails too.
 */
export async function keepReport(
  outcome: Outcome,
  siteName: string,
  stop: AbortSignal,
  deps: SettleDeps,
): Promise<void> {
  try {
    await deps.outbox.put(outcome, deps.correlationId);
  } catch (error) {
    deps.log.error("outbox.unusable", { error });
    const { master, signal } = patience(stop, deps);
    await sendOutcome(outcome, master, signal);
  }
  if (outcome.type !== "backup") return;
  await writeLastResult(deps.state.lastDir, outcome.report, siteName).catch((error: unknown) => {
    deps.log.warn("last_result.not_written", { error });
  });
}

/** Gives the lease back for another attempt. If that fails, the lease ends by itself a little later. */
export async function releaseJob(
  claim: Claim,
  error: BackupError,
  stop: AbortSignal,
  deps: SettleDeps,
): Promise<void> {
  const { master, signal } = patience(stop, deps);
  try {
    const body = { fencing: claim.fencing, release: toErrorReport(error) };
    await master.call("patchJob", { params: { id: claim.job.id }, body, signal });
  } catch (refused) {
    deps.log.warn("job.release_failed", { error: refused });
  }
}
