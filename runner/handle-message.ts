// What becomes of one message: its job is claimed and worked on, and the message is deleted once nothing can be
// lost by it, or hidden until it makes sense to try again.
import type { Claim, JobType } from "#shared/contracts/jobs.ts";
import type { NodeConfig } from "#shared/contracts/nodes.ts";
import { asBackupError, type BackupError } from "#shared/errors.ts";
import { type AttemptDeps, type AttemptEnd, runAttempt } from "./attempt.ts";
import { correlated } from "./io/correlated-master.ts";
import type { Log } from "./io/log.ts";
import type { JobQueue, QueueMessage } from "./io/queue.ts";
import { callWithRetry } from "./io/retrying-master.ts";
import type { RestoreKeeper } from "./keep-restores.ts";
import { type Backoff, backoffAtLeastHalfMs } from "./plan/backoff.ts";
import { claimRefusal, retryAfterSeconds } from "./plan/error-class.ts";
import { type JobRequest, parseMessage } from "./plan/message.ts";
import { resumePath, type SettleUploadsDeps, settleUploads } from "./settle-uploads.ts";

export interface HandleDeps extends AttemptDeps, SettleUploadsDeps {
  /** Random per process. */
  readonly runnerId: string;
  readonly restores: RestoreKeeper;
}

/** What the loop should know: whether polling again at once makes sense. */
export type Handled = "done" | "master_away";

const CLAIM_DEADLINE_MS = 20_000;
const REDELIVERY: Backoff = { baseMs: 30_000, capMs: 15 * 60_000 };
/** While nobody polls, because the Master is away, a short time is enough. */
const MASTER_AWAY_SECONDS = 30;
const LEASE_HELD_SECONDS = 60;

interface Claimed {
  readonly claim: Claim;
  readonly claimedAtMs: number;
}

async function claimJob(request: JobRequest, stop: AbortSignal, deps: HandleDeps): Promise<Claimed> {
  const patient = callWithRetry(deps.master, { clock: deps.clock, deadlineMs: CLAIM_DEADLINE_MS });
  const master = correlated(patient, request.correlationId);
  const path = request.type === "backup" ? await resumePath(request.siteId, deps) : undefined;
  const claimedAtMs = deps.clock.monotonicMs();
  const claim = await master.call("claimJob", {
    params: { id: request.jobId },
    body: {
      ...(path === undefined ? {} : { resume_path: path }),
      site_id: request.siteId,
      runner_id: deps.runnerId,
      trigger: request.trigger,
      ...(request.scheduledTime === undefined ? {} : scheduledAs(request.type, request.scheduledTime)),
    },
    signal: stop,
  });
  return { claim, claimedAtMs };
}

/** Which job a schedule means follows from its type, too. */
function scheduledAs(type: JobType, scheduledTime: string): { type?: "verify"; scheduled_time: string } {
  return { ...(type === "verify" ? { type } : {}), scheduled_time: scheduledTime };
}

/** Failing to delete or hide loses nothing: the message comes again, and its claim is told `job_ended`. */
async function quietly(what: Promise<void>, event: string, log: Log): Promise<void> {
  await what.catch((error: unknown) => {
    log.warn(event, { error });
  });
}

export async function handleMessage(
  queue: JobQueue,
  message: QueueMessage,
  stop: AbortSignal,
  deps: HandleDeps,
): Promise<Handled> {
  const drop = (log: Log): Promise<void> => quietly(queue.delete(message), "queue.delete_failed", log);
  const hide = (seconds: number, log: Log): Promise<void> =>
    quietly(queue.hide(message, seconds), "queue.hide_failed", log);
  const later = (): number =>
    backoffAtLeastHalfMs(REDELIVERY, message.receiveCount - 1, deps.clock.random()) / 1000;

  const parsed = parseMessage(message.body);
  if (!parsed.ok) {
    deps.log.error("message.malformed", { message_id: message.messageId, reason: parsed.reason });
    await drop(deps.log);
    return "done";
  }
  const { request } = parsed;
  const { jobId, siteId, correlationId } = request;
  const log = deps.log.child({ job_id: jobId, site_id: siteId, correlation_id: correlationId });

  /** `isAway`: nothing can be claimed now, this job or another. */
  async function refused(error: BackupError, isAway: boolean): Promise<Handled> {
    const what = claimRefusal(error);
    if (what === "drop") {
      log[error.code === "job_ended" ? "info" : "error"]("claim.refused", { error });
      await drop(log);
      return "done";
    }
    const waitSeconds = isAway
      ? MASTER_AWAY_SECONDS
      : (retryAfterSeconds(error) ?? (what === "wait" ? LEASE_HELD_SECONDS : later())) *
        (1 + deps.clock.random() / 5);
    log.warn("claim.postponed", { wait_seconds: Math.ceil(waitSeconds), error });
    await hide(stop.aborted ? 0 : waitSeconds, log);
    return isAway ? "master_away" : "done";
  }

  async function settled(end: AttemptEnd): Promise<Handled> {
    if (end.kind === "reported") {
      await drop(log);
      await deps.outbox.flush(stop).catch((error: unknown) => {
        log.debug("outbox.flush_stopped", { error });
      });
    } else {
      await hide(stop.aborted ? 0 : later(), log);
    }
    return "done";
  }

  let config: NodeConfig;
  try {
    config = await deps.source.refresh();
  } catch (error) {
    return await refused(asBackupError(error, "unexpected"), true);
  }
  try {
    await settleUploads(stop, deps);
    using _held = await deps.restores.hold(request.siteId, stop);
    const claimed = await claimJob(request, stop, deps);
    const extendMessage = (seconds: number): Promise<void> => queue.hide(message, seconds);
    return await settled(await runAttempt({ ...claimed, config, extendMessage, stop }, deps));
  } catch (thrown) {
    const error = asBackupError(thrown, "unexpected");
    return await refused(error, error.code === "master_unreachable");
  }
}
