// What a job means at a given time, and each rule that moves it.
import { describe, expect, test } from "vitest";
import { claimJob } from "#functions/core/claim-job.ts";
import { effectiveJob } from "#functions/core/job-state.ts";
import type { JobRecord, SiteRecord } from "#functions/core/records.ts";
import { isRepeat, reportJob } from "#functions/core/report-job.ts";
import { buryJob, releaseJob, startJob, stopJob } from "#functions/core/steer-job.ts";
import { BackupReport } from "#shared/contracts/backups.ts";
import type { ClaimJob } from "#shared/contracts/jobs.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { failureReport, successReport } from "#test/helpers/reports.ts";
import {
  aJob,
  aRunningJob,
  aSite,
  JOB_ID,
  later,
  NODE_ID,
  NOW,
  RUNNER_A,
  RUNNER_B,
  SITE_ID,
} from "./job-records.ts";

describe("a job at a given time", () => {
  const exhausted = { max_attempts: 1 };
  const retryable = { max_attempts: 3, trigger: "schedule" as const };
  test.each<[string, JobRecord, number, string]>([
    ["queued", aJob(), 0, "queued"],
    ["queued at its deadline", aJob(), 86_400, "queued"],
    ["queued past its deadline", aJob(), 86_401, "expired"],
    ["running under its lease", aRunningJob(), 299, "running"],
    ["silent, no attempts left", aRunningJob(exhausted), 300, "failed"],
    ["silent, attempts left", aRunningJob(retryable), 300, "queued"],
    ["silent, attempts left, past its deadline", aRunningJob(retryable), 86_401, "failed"],
    ["silent and asked to stop", aRunningJob({ ...retryable, cancel_requested: true }), 300, "cancelled"],
    ["succeeded long ago", aRunningJob({ state: "succeeded" }), 999_999, "succeeded"],
  ])("%s", (_name, job, seconds, state) => {
    expect(effectiveJob(job, later(seconds)).state).toBe(state);
  });

  test("a lost runner is named as the error", () => {
    expect(effectiveJob(aRunningJob(), later(301))).toMatchObject({
      error: { code: "runner_lost" },
      ended_at: later(300).toISOString(),
    });
  });
});

describe("claim", () => {
  const body: ClaimJob = {
    site_id: SITE_ID,
    runner_id: RUNNER_B,
    trigger: "manual",
    type: "backup",
    create: false,
    full: false,
  };
  const active = aSite({ active_job_id: JOB_ID });
  const claim = (
    job: JobRecord | undefined,
    fields: Partial<Parameters<typeof claimJob>[0]> = {},
    at = NOW,
  ) => claimJob({ jobId: JOB_ID, body, job, site: active, activeJob: job, leaseSeconds: 300, ...fields }, at);

  test("gives a queued job a lease, a number and a path of its own", () => {
    const step = claim(aJob());
    expect(step.refusal).toBeUndefined();
    expect(step.jobs[0]?.after).toMatchObject({
      state: "running",
      fencing: 1,
      attempt: 1,
      runner_id: RUNNER_B,
      lease_expires_at: later(300).toISOString(),
      s3_path: `/${NODE_ID}/${SITE_ID}/shop.example.com_20300101_030000.tar.zst`,
    });
  });

  test("never gives the same path twice, even within one second", () => {
    const first = claim(aJob());
    const second = claim(first.jobs[0]?.after, {
      site: first.site?.after as SiteRecord,
      body: { ...body, runner_id: RUNNER_B },
    });
    expect(second.jobs[0]?.after.s3_path).toContain("_20300101_030001.tar.zst");
    expect(second.jobs[0]?.after).toMatchObject({ fencing: 2, attempt: 1 });
  });

  test("refuses a job under another runner's lease, with the time to wait", () => {
    const { refusal } = claim(aRunningJob(), {}, later(100));
    expect(refusal).toMatchObject({ code: "lease_held", data: { retry_after_seconds: 200 } });
  });

  test("takes over when the lease is over and attempts are left", () => {
    const job = aRunningJob({ trigger: "schedule", max_attempts: 3 });
    expect(claim(job, {}, later(300)).jobs[0]?.after).toMatchObject({
      fencing: 2,
      attempt: 2,
      runner_id: RUNNER_B,
    });
  });

  test("ends instead of running when nothing is to be gained", () => {
    const scheduled = aJob({ trigger: "schedule", scheduled_at: NOW.toISOString() });
    const outdone = aSite({ ...active, last_backup_at: later(60).toISOString() });
    const paused = aSite({ ...active, state: "paused" });
    const ends = [
      claim(aJob(), {}, later(86_401)),
      claim(scheduled, { site: outdone }),
      claim(aJob(), { site: paused }),
      claim(aRunningJob(), {}, later(300)),
    ];
    expect(ends.map((step) => [step.refusal?.code, step.jobs[0]?.after.state])).toEqual([
      ["job_ended", "expired"],
      ["job_ended", "expired"],
      ["job_ended", "skipped"],
      ["job_ended", "failed"],
    ]);
    for (const step of ends) expect(step.site?.after.active_job_id).toBeUndefined();
  });

  test("waits while another job of the site is alive, and takes its place when it is dead", () => {
    const other = aRunningJob({ id: RUNNER_A });
    const site = aSite({ active_job_id: other.id });
    expect(claim(aJob(), { site, activeJob: other }).refusal?.code).toBe("backup_in_progress");
    const step = claim(aJob(), { site, activeJob: other }, later(301));
    expect(step.jobs.map(({ after: job }) => [job.id, job.state])).toEqual([
      [other.id, "failed"],
      [JOB_ID, "running"],
    ]);
  });

  test("makes a scheduled job only under the id that follows from its time", () => {
    const scheduled = { ...body, trigger: "schedule" as const, scheduled_time: "2030-01-01T03:00:00Z" };
    const free = { site: aSite(), activeJob: undefined, body: scheduled };
    expect(() => claim(undefined, free)).toThrow("does not give the job id");
    const jobId = jobIdFor(SITE_ID, "2030-01-01T03:00:00.000Z");
    const [made] = claim(undefined, { ...free, jobId }).jobs;
    expect(made).toMatchObject({
      before: undefined,
      after: { id: jobId, max_attempts: 3, deadline_at: "2030-01-02T03:00:00.000Z" },
    });
    expect(() => claim(undefined, { ...free, body: { ...body, trigger: "schedule" } })).toThrow(
      "scheduled_time",
    );
    expect(() => claim(undefined, { ...free, body })).toThrow("There is no job");
  });
});

describe("report", () => {
  const site = aSite({ active_job_id: JOB_ID });
  const claimed = {
    job: { id: JOB_ID, site_id: SITE_ID },
    fencing: 1,
    s3_path: String(aRunningJob().s3_path),
  };
  const success = BackupReport.parse(successReport(claimed, 7));
  const failure = BackupReport.parse(failureReport(claimed));

  test("a success ends the job, makes the backup and frees the site", () => {
    const step = reportJob(aRunningJob(), site, success, later(60));
    expect(step.jobs[0]?.after).toMatchObject({ state: "succeeded", backup_id: step.backup?.id });
    expect(step.site?.after).toMatchObject({
      last_backup_id: step.backup?.id,
      last_backup_at: NOW.toISOString(),
    });
    expect(step.site?.after.active_job_id).toBeUndefined();
  });

  test("corrects a Master that gave the runner up", () => {
    for (const state of ["failed", "expired", "cancelled"] as const) {
      expect(reportJob(aRunningJob({ state }), site, success, NOW).jobs[0]?.after.state).toBe("succeeded");
    }
  });

  test.each<[string, JobRecord]>([
    ["a newer claim", aRunningJob({ fencing: 2 })],
    ["a job given back", aJob({ fencing: 2 })],
    ["a job that its runner ended otherwise", aRunningJob({ state: "failed", reported: true })],
    ["a job that succeeded", aRunningJob({ state: "succeeded", reported: true, fencing: 2 })],
  ])("is refused against %s", (_name, job) => {
    expect(reportJob(job, site, success, NOW).refusal?.code).toBe("lease_lost");
    expect(isRepeat(job, success)).toBe(false);
  });

  test("knows its own repetition, of every outcome", () => {
    for (const report of [success, failure]) {
      const ended = reportJob(aRunningJob(), site, report, NOW).jobs[0]?.after as JobRecord;
      expect(isRepeat(ended, report)).toBe(true);
      expect(isRepeat(ended, report === success ? failure : success)).toBe(false);
    }
  });

  test("a success elsewhere than its claim said is refused", () => {
    const job = aRunningJob({ s3_path: "/elsewhere" });
    expect(reportJob(job, site, success, NOW).refusal?.code).toBe("invalid_request");
  });

  test("an older backup that is reported late does not become the newest", () => {
    const newer = aSite({ ...site, last_backup_at: later(10).toISOString(), last_backup_id: RUNNER_A });
    expect(reportJob(aRunningJob(), newer, success, NOW).site?.after.last_backup_id).toBe(RUNNER_A);
  });
});

describe("start, stop, release, bury", () => {
  const site = aSite({ active_job_id: JOB_ID });
  const error = { code: "disk_full", message: "full" };

  test("start refuses next to a living job and buries a dead one", () => {
    expect(startJob(RUNNER_A, site, aRunningJob(), NOW).refusal?.code).toBe("backup_in_progress");
    expect(startJob(RUNNER_A, aSite({ state: "paused" }), undefined, NOW).refusal?.code).toBe("site_paused");
    const step = startJob(RUNNER_A, site, aRunningJob(), later(301));
    expect(step.jobs.map((change) => change.after.state)).toEqual(["failed", "queued"]);
    expect(step.site?.after).toMatchObject({ active_job_id: RUNNER_A, last_job_id: JOB_ID });
  });

  test("stop ends a queued job, asks a running one, and ends a silent one", () => {
    expect(stopJob(aJob(), site, NOW).jobs[0]?.after.state).toBe("cancelled");
    expect(stopJob(aRunningJob(), site, NOW).jobs[0]?.after).toMatchObject({
      state: "running",
      cancel_requested: true,
    });
    const silent = aRunningJob({ trigger: "schedule", max_attempts: 3 });
    expect(stopJob(silent, site, later(301)).jobs[0]?.after.state).toBe("cancelled");
    expect(stopJob(undefined, aSite(), NOW).refusal?.code).toBe("nothing_to_stop");
  });

  test("release queues again until the attempts are used up", () => {
    const job = aRunningJob({ max_attempts: 2 });
    const step = releaseJob(job, site, { fencing: 1, error }, NOW);
    expect(step.jobs[0]?.after).toMatchObject({ state: "queued", error, fencing: 2 });
    const last = releaseJob({ ...job, attempt: 2 }, site, { fencing: 1, error }, NOW);
    expect(last.jobs[0]?.after).toMatchObject({ state: "failed", error });
    expect(last.site?.after.active_job_id).toBeUndefined();
    expect(releaseJob(job, site, { fencing: 2, error }, NOW).refusal?.code).toBe("lease_lost");
  });

  test("stopping backupd in the middle is nobody's failed attempt", () => {
    const interrupted = { code: "interrupted", message: "stopped" };
    const last = aRunningJob({ max_attempts: 1 });
    expect(releaseJob(last, site, { fencing: 1, error: interrupted }, NOW).jobs[0]?.after).toMatchObject({
      state: "queued",
      attempt: 0,
      fencing: 2,
    });
  });

  test("a dead letter ends a waiting job, and leaves one alone that a runner has", () => {
    expect(buryJob(aJob(), false, site, "why", NOW).jobs[0]?.after).toMatchObject({
      state: "failed",
      error: { code: "runner_lost", message: "why" },
    });
    expect(buryJob(aRunningJob(), false, site, "why", NOW).jobs).toEqual([]);
    expect(buryJob(aJob({ state: "succeeded" }), false, site, "why", NOW).jobs).toEqual([]);
  });
});
