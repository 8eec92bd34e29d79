// The Master's client again, with patience: same interface in, same interface out.
import { v4 } from "uuid";
import type { BackupError } from "#shared/errors.ts";
import { asBackupError } from "#shared/errors.ts";
import { type Answer, OPERATIONS, type OperationId } from "#shared/operations.ts";
import type { Clock } from "../clock.ts";
import { type Backoff, backoffMs } from "../plan/backoff.ts";
import { retryAfterSeconds } from "../plan/error-class.ts";
import type { MasterClient, MasterRequest } from "./master-client.ts";

export interface RetryDeps {
  readonly clock: Clock;
  /** No new try begins later than this after the call began. */
  readonly deadlineMs: number;
  readonly backoff?: Backoff;
  readonly onRetry?: (operation: OperationId, error: BackupError, waitMs: number) => void;
}

/** Answers about the job's state: the caller decides on them, at once. */
const FOR_THE_CALLER: ReadonlySet<string> = new Set(["lease_held", "backup_in_progress", "node_disabled"]);

const NO_SIGNAL: AbortSignal = new AbortController().signal;

export function callWithRetry(master: MasterClient, deps: RetryDeps): MasterClient {
  const { clock, deadlineMs, backoff = { baseMs: 500, capMs: 15_000 } } = deps;

  async function call<K extends OperationId>(operation: K, request: MasterRequest<K>): Promise<Answer<K>> {
    const giveUpAtMs = clock.monotonicMs() + deadlineMs;
    // A lost answer must not let the second try have a second effect.
    const key = OPERATIONS[operation].method === "POST" ? { idempotencyKey: v4() } : {};
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await master.call(operation, { ...key, ...request });
      } catch (thrown) {
        request.signal?.throwIfAborted();
        const error = asBackupError(thrown, "unexpected");
        const worthIt =
          error.retry !== "never" && error.code !== "unexpected" && !FOR_THE_CALLER.has(error.code);
        const asked = (retryAfterSeconds(error) ?? 0) * 1000;
        const waitMs = asked + backoffMs(backoff, attempt, clock.random());
        if (!worthIt || clock.monotonicMs() + waitMs > giveUpAtMs) throw error;
        deps.onRetry?.(operation, error, waitMs);
        await clock.sleep(waitMs, request.signal ?? NO_SIGNAL);
      }
    }
  }

  return { call, clockSkewMs: () => master.clockSkewMs() };
}
