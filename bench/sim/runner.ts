// A node's runner as far as the Master can tell: it polls, claims, beats, reports and now and then dies or stands still. Its
// decisions are those of runner/plan, the Master's those of functions/core; what it does in between takes time only.
import { claimJob } from "#functions/core/claim-job.ts";
import { deadJob } from "#functions/core/dead-job.ts";
import type { Step } from "#functions/core/job-state.ts";
import type { JobRecord, SiteRecord } from "#functions/core/records.ts";
import { isRepeat, reportJob } from "#functions/core/report-job.ts";
import { buryJob, releaseJob } from "#functions/core/steer-job.ts";
import { type Backoff, backoffAtLeastHalfMs } from "#runner/plan/backoff.ts";
import { claimRefusal, jobEnd, retryAfterSeconds, toErrorReport } from "#runner/plan/error-class.ts";
import type { JobMessage } from "#shared/contracts/jobs.ts";
import { BackupError } from "#shared/errors.ts";
import { jobIdFor } from "#shared/job-id.ts";
import type { MemoryRecords } from "./memory-records.ts";
import { type Delivery, openNodeQueue } from "./node-queue.ts";
import { NOISE, type SimSite } from "./plan.ts";
import type { Random } from "./random.ts";
import { commonOf, successOf } from "./reports.ts";
import type { Tally } from "./tally.ts";
import type { Timeline } from "./timeline.ts";

/** The Master's and the runner's usual settings: functions/config.ts, functions/stores/queues.ts, runner/. */
const LEASE_SECONDS = 300;
const PROGRESS_SECONDS = 10;
const MAX_RECEIVE_COUNT = 10;
const FIRST_HIDE_SECONDS = 120;
const WORK_HIDE_SECONDS = 60;
const REDELIVERY: Backoff = { baseMs: 30_000, capMs: 15 * 60_000 };
const LEASE_HELD_SECONDS = 60;
/** Beats come every ten seconds; simulated is each sixth. */
const SIMULATED_BEAT_MS = 60_000;
const OUTBOX_RETRY_MS = 30_000;

export interface RunnerDeps {
  readonly records: MemoryRecords["now"];
  readonly timeline: Timeline;
  readonly random: Random;
  readonly tally: Tally;
  readonly siteOf: (id: string) => SimSite;
  readonly isMasterDown: (atMs: number) => boolean;
  /** Whether the site cannot be backed up at that time. */
  readonly isBroken: (siteId: string, atMs: number) => boolean;
  /** An archive became visible in the storage, or went. */
  readonly onObject: (jobId: string, change: 1 | -1) => void;
}

export interface SimRunner {
  receive(message: JobMessage): void;
  /** Gone until then, or longer if it already is. */
  goAway(untilMs: number): void;
  isThere(): boolean;
  /** When it beat last, or could have: now, or when it went away. */
  aliveAtMs(): number;
  queued(): number;
}

interface Run {
  readonly delivery: Delivery;
  readonly jobId: string;
  readonly siteId: string;
  readonly fencing: number;
  readonly s3Path: string;
  readonly startedAtMs: number;
  endsAtMs: number;
  isOver: boolean;
}

export function openRunner(nodeId: string, deps: RunnerDeps): SimRunner {
  const { records, timeline, random, tally } = deps;
  const queue = openNodeQueue(MAX_RECEIVE_COUNT);
  let isThere = true;
  let wentAwayMs = 0;
  let awayUntilMs = 0;
  let runnerId = random.uuid();
  let running: Run | undefined;
  let wakesAtMs = Number.POSITIVE_INFINITY;
  /** Reports that a dead process left on disk. */
  let outbox: (() => void)[] = [];

  const now = (): Date => new Date(timeline.nowMs());
  const afterSeconds = (seconds: number, action: () => void): void =>
    timeline.at(timeline.nowMs() + seconds * 1000, action);
  const later = (delivery: Delivery): number =>
    backoffAtLeastHalfMs(REDELIVERY, delivery.receiveCount - 1, random.next()) / 1000;

  function commit(step: Step): void {
    if (!records.commit(step)) throw new Error("Nobody else writes, and yet a write was beaten.");
  }

  function wakeAt(timeMs: number): void {
    if (timeMs >= wakesAtMs) return;
    wakesAtMs = timeMs;
    timeline.at(timeMs, () => {
      if (wakesAtMs === timeMs) wakesAtMs = Number.POSITIVE_INFINITY;
      poll();
    });
  }

  function poll(): void {
    if (!isThere || running !== undefined) return;
    const atMs = timeline.nowMs();
    if (deps.isMasterDown(atMs)) {
      wakeAt(atMs + 30_000 + random.below(30_000));
      return;
    }
    const delivery = queue.receive(atMs, FIRST_HIDE_SECONDS, bury);
    if (delivery !== undefined) {
      tally.calls.sqsReceive += 1;
      handle(delivery);
    }
    const next = queue.nextVisibleMs();
    if (running === undefined && next !== undefined) wakeAt(Math.max(next, atMs + 1));
  }

  function handle(delivery: Delivery): void {
    const { message } = delivery;
    if (message.trigger !== "schedule") throw new Error("only schedules are simulated");
    const site = siteRecord(message.site_id);
    const jobId = jobIdFor(message.site_id, message.scheduled_time);
    tally.calls.getNodeConfig += 1;
    tally.calls.claimJob += 1;
    const body = {
      site_id: site.id,
      runner_id: runnerId,
      trigger: message.trigger,
      type: message.type,
      scheduled_time: message.scheduled_time,
      create: false,
      full: false,
    };
    const step = claimJob(
      {
        jobId,
        body,
        job: records.job(jobId),
        site,
        activeJob: site.active_job_id === undefined ? undefined : records.job(site.active_job_id),
        leaseSeconds: LEASE_SECONDS,
      },
      now(),
    );
    commit(step);
    if (step.refusal !== undefined) {
      refused(delivery, step.refusal);
      return;
    }
    const job = step.jobs.at(-1)?.after;
    if (job?.s3_path === undefined) throw new Error("a claim without a path");
    if (job.attempt > 1) tally.retries += 1;
    start(delivery, job, job.s3_path);
  }

  function refused(delivery: Delivery, error: BackupError): void {
    const what = claimRefusal(error);
    tally.calls.sqsOther += 1;
    if (what === "drop") queue.delete(delivery);
    else {
      const seconds = retryAfterSeconds(error) ?? (what === "wait" ? LEASE_HELD_SECONDS : later(delivery));
      delivery.visibleAtMs = timeline.nowMs() + seconds * 1000 * (1 + random.next() / 5);
    }
    wakeAt(timeline.nowMs() + 1);
  }

  function start(delivery: Delivery, job: JobRecord, s3Path: string): void {
    const atMs = timeline.nowMs();
    const seconds = deps.siteOf(job.site_id).jobSeconds * (0.7 + 0.6 * random.next());
    const run: Run = {
      delivery,
      jobId: job.id,
      siteId: job.site_id,
      fencing: job.fencing,
      s3Path,
      startedAtMs: atMs,
      endsAtMs: atMs + seconds * 1000,
      isOver: false,
    };
    running = run;
    tally.calls.checkSiteQuota += 1;
    if (random.chance(NOISE.crash)) afterSeconds(seconds * random.next(), () => crash(run));
    else if (random.chance(NOISE.pause)) run.endsAtMs += NOISE.pauseSeconds * 1000;
    const isPaused = run.endsAtMs > atMs + seconds * 1000 + 1;
    if (isPaused) tally.pauses += 1;
    delivery.visibleAtMs = atMs + WORK_HIDE_SECONDS * 1000;
    // One that stands still does so from its start, and wakes up with a beat.
    timeline.at(isPaused ? atMs + NOISE.pauseSeconds * 1000 : atMs + SIMULATED_BEAT_MS, () => beat(run));
    timeline.at(run.endsAtMs, () => finish(run));
  }

  function beat(run: Run): void {
    if (run.isOver) return;
    const atMs = timeline.nowMs();
    if (!deps.isMasterDown(atMs)) {
      tally.calls.patchJob += SIMULATED_BEAT_MS / 1000 / PROGRESS_SECONDS;
      tally.calls.sqsOther += SIMULATED_BEAT_MS / 1000 / PROGRESS_SECONDS;
      const leaseExpiresAt = new Date(atMs + LEASE_SECONDS * 1000).toISOString();
      const { jobId, fencing } = run;
      if (records.renew({ jobId, nodeId, fencing, leaseExpiresAt, progress: undefined }) === undefined) {
        over(run);
        return;
      }
      run.delivery.visibleAtMs = atMs + WORK_HIDE_SECONDS * 1000;
    }
    timeline.at(atMs + SIMULATED_BEAT_MS, () => beat(run));
  }

  function finish(run: Run): void {
    if (run.isOver) return;
    if (deps.isBroken(run.siteId, timeline.nowMs())) fail(run, new BackupError("db_unreachable"));
    else {
      deps.onObject(run.jobId, 1);
      // Some die right here: the archive is complete, and the Master does not know.
      const report = (): void => reportSuccess(run);
      if (random.chance(NOISE.crash / 10)) {
        outbox.push(report);
        crash(run);
      } else report();
    }
  }

  function reportSuccess(run: Run): void {
    const atMs = timeline.nowMs();
    if (deps.isMasterDown(atMs)) {
      afterSeconds(OUTBOX_RETRY_MS / 1000, () => reportSuccess(run));
      return;
    }
    tally.calls.reportBackup += 1;
    const { sizeBytes } = deps.siteOf(run.siteId);
    const report = successOf(run, sizeBytes, atMs);
    const job = records.job(run.jobId);
    if (job === undefined) throw new Error(`${run.jobId} is reported after it was forgotten`);
    if (!isRepeat(job, report)) {
      const step = reportJob(job, siteRecord(run.siteId), report, now());
      if (step.refusal !== undefined) {
        // Its lease is another's: the Master removes the archive, and the message comes again.
        deps.onObject(run.jobId, -1);
        run.delivery.visibleAtMs = atMs + later(run.delivery) * 1000;
        over(run);
        return;
      }
      commit(step);
    }
    if (random.chance(NOISE.reportAnswerLost)) {
      afterSeconds(OUTBOX_RETRY_MS / 1000, () => reportSuccess(run));
      return;
    }
    tally.simulatedJobSeconds += (run.endsAtMs - run.startedAtMs) / 1000;
    done(run);
  }

  function fail(run: Run, error: BackupError): void {
    const job = records.job(run.jobId);
    if (job === undefined) throw new Error(`${run.jobId} fails after it was forgotten`);
    const site = siteRecord(run.siteId);
    if (deps.isMasterDown(timeline.nowMs())) {
      afterSeconds(OUTBOX_RETRY_MS / 1000, () => fail(run, error));
      return;
    }
    tally.calls.reportBackup += 1;
    const failed = { fencing: run.fencing, error: toErrorReport(error) };
    const end = jobEnd(error, job as Parameters<typeof jobEnd>[1], true);
    const step =
      end === "released"
        ? releaseJob(job, site, failed, now())
        : reportJob(
            job,
            site,
            { ...commonOf(run, timeline.nowMs()), status: "failed", error: failed.error },
            now(),
          );
    if (step.refusal === undefined) commit(step);
    if (end === "released" && step.refusal === undefined) {
      run.delivery.visibleAtMs = timeline.nowMs() + later(run.delivery) * 1000;
      over(run);
    } else done(run);
  }

  /** Worked off: its message goes. */
  function done(run: Run): void {
    tally.calls.sqsOther += 1;
    queue.delete(run.delivery);
    over(run);
  }

  function over(run: Run): void {
    run.isOver = true;
    if (running === run) running = undefined;
    wakeAt(timeline.nowMs() + 1);
  }

  function crash(run: Run): void {
    if (run.isOver) return;
    tally.crashes += 1;
    goAway(timeline.nowMs() + NOISE.crashSeconds * 1000);
  }

  function goAway(untilMs: number): void {
    if (isThere) wentAwayMs = timeline.nowMs();
    isThere = false;
    awayUntilMs = Math.max(awayUntilMs, untilMs);
    timeline.at(untilMs, comeBack);
    if (running !== undefined) running.isOver = true;
    running = undefined;
  }

  function comeBack(): void {
    if (isThere || timeline.nowMs() < awayUntilMs) return;
    isThere = true;
    runnerId = random.uuid();
    const left = outbox;
    outbox = [];
    for (const report of left) report();
    wakeAt(timeline.nowMs() + 1);
  }

  function bury(message: JobMessage): void {
    tally.deadLetters += 1;
    const site = siteRecord(message.site_id);
    const jobId = jobIdFor(message.site_id, message.trigger === "schedule" ? message.scheduled_time : "");
    const known = records.job(jobId);
    const job = known ?? deadJob(message, jobId, site, now());
    if (job !== undefined) commit(buryJob(job, known === undefined, site, "simulated", now()));
  }

  function siteRecord(id: string): SiteRecord {
    const site = records.site(id);
    if (site === undefined) throw new Error(`There is no site ${id}`);
    return site;
  }

  return {
    receive(message) {
      queue.send(message, timeline.nowMs());
      poll();
    },
    goAway,
    isThere: () => isThere,
    aliveAtMs: () => (isThere ? timeline.nowMs() : wentAwayMs),
    queued: () => queue.length(),
  };
}
