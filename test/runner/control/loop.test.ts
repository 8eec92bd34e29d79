// The daemon against a real queue and a scripted Master: what becomes of messages and jobs when all goes well,
// and when anything does not.
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunBackup } from "#runner/context.ts";
import { runDaemon } from "#runner/daemon.ts";
import { BackupError } from "#shared/errors.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { problem } from "#test/fakes/fake-master.ts";
import { type Harness, startHarness, successOf, untilAborted } from "./harness.ts";

let harness: Harness;
let stop: AbortController;
let running: Promise<void> | undefined;

beforeEach(async () => {
  harness = await startHarness();
  stop = new AbortController();
  running = undefined;
});
afterEach(async () => {
  await stopDaemon();
  await harness[Symbol.asyncDispose]();
});

async function startDaemon(runBackup: RunBackup): Promise<void> {
  running = runDaemon(stop.signal, await harness.runner(runBackup, stop.signal));
  running.catch(() => undefined);
}

async function stopDaemon(): Promise<void> {
  stop.abort(new BackupError("interrupted"));
  await running;
}

const manual = (jobId: string): unknown => ({
  v: 1,
  type: "backup",
  trigger: "manual",
  site_id: harness.siteId,
  job_id: jobId,
});
const scheduled = (time: string): unknown => ({
  v: 1,
  type: "backup",
  trigger: "schedule",
  site_id: harness.siteId,
  scheduled_time: time,
  execution_id: randomUUID(),
});
const reported = (jobId: string): Promise<unknown> =>
  harness.master.nextCall("reportBackup", ({ body }) => (body as { job_id: string }).job_id === jobId);
const spoolNames = (): Promise<string[]> => readdir(join(harness.dir, "spool"));

describe("a job that goes well", () => {
  test("is claimed, worked on in a spool of its own, reported, and its message is gone", async () => {
    const jobId = randomUUID();
    let spoolDir = "";
    const report = reported(jobId);
    await harness.queue.send(manual(jobId));
    await startDaemon(async (job) => {
      spoolDir = job.spoolDir;
      expect(await readdir(job.spoolDir)).toEqual([]);
      expect(job.site.id).toBe(harness.siteId);
      expect((await job.s3Credentials()).secretAccessKey).toBe("PLANTED-SECRET-KEY");
      return successOf(job);
    });
    await report;
    await harness.log.until("outbox.sent");
    await stopDaemon();
    expect(harness.master.jobs.get(jobId)?.job.state).toBe("succeeded");
    expect(await harness.queue.count()).toEqual({ visible: 0, hidden: 0 });
    expect(spoolDir).toContain(jobId);
    expect(await spoolNames()).toEqual([]);
    expect(harness.log.text()).not.toContain("PLANTED");
  });

  test("delivered twice is done once", async () => {
    const time = "2026-03-01T03:00:00Z";
    const jobId = jobIdFor(harness.siteId, time);
    let runs = 0;
    await harness.queue.send(scheduled(time));
    await harness.queue.send(scheduled(time));
    await startDaemon(async (job) => {
      runs += 1;
      return successOf(job);
    });
    await harness.log.until("claim.refused");
    await stopDaemon();
    expect(runs).toBe(1);
    expect(harness.master.reports.map(({ job_id }) => job_id)).toEqual([jobId]);
    expect(await harness.queue.count()).toEqual({ visible: 0, hidden: 0 });
  });
});

describe("a message that cannot be worked on", () => {
  test("is deleted and logged when no redelivery can help", async () => {
    await harness.queue.send("not json");
    await harness.queue.send({ v: 2, type: "restore" });
    await harness.queue.send({ ...(manual(randomUUID()) as object), site_id: randomUUID() });
    const good = randomUUID();
    const report = reported(good);
    await harness.queue.send(manual(good));
    await startDaemon(async (job) => successOf(job));
    await report;
    await harness.log.until("outbox.sent");
    await stopDaemon();
    const events = harness.log.events();
    expect(events.filter((event) => event === "message.malformed")).toHaveLength(2);
    expect(events.filter((event) => event === "claim.refused")).toHaveLength(1);
    expect(await harness.queue.count()).toEqual({ visible: 0, hidden: 0 });
  });

  test.each(["lease_held", "backup_in_progress", "rate_limited", "internal", "token_invalid"] as const)(
    "stays in the queue when the claim is told %s",
    async (code) => {
      harness.master.script("claimJob", () => problem(code, { retry_after_seconds: 40 }));
      await harness.queue.send(manual(randomUUID()));
      await startDaemon(async (job) => successOf(job));
      const line = await harness.log.until("claim.postponed");
      expect(line.wait_seconds).toBeGreaterThanOrEqual(40);
      expect(line.error).toMatchObject({ code });
      await stopDaemon();
      expect(await harness.queue.count()).toEqual({ visible: 0, hidden: 1 });
    },
  );
});

describe("a job that fails", () => {
  test("by hand: is reported at once, with code and hint", async () => {
    const jobId = randomUUID();
    const report = reported(jobId);
    await harness.queue.send(manual(jobId));
    await startDaemon(async () => {
      throw new BackupError("db_unreachable", { detail: "127.0.0.1:3306 refused" });
    });
    await report;
    await harness.log.until("outbox.sent");
    const error = { code: "db_unreachable", message: "127.0.0.1:3306 refused" };
    expect(harness.master.reports).toMatchObject([{ status: "failed", error }]);
    await stopDaemon();
    expect(await harness.queue.count()).toEqual({ visible: 0, hidden: 0 });
  });

  test("by schedule, with a reason that may pass: is given back and its message comes again", async () => {
    const released = harness.master.nextCall("patchJob", ({ body }) => "release" in (body as object));
    await harness.queue.send(scheduled("2026-03-01T03:00:00Z"));
    await startDaemon(async () => {
      throw new BackupError("storage_unreachable");
    });
    expect(await released).toMatchObject({ body: { release: { code: "storage_unreachable" } } });
    await harness.log.until("job.released");
    await stopDaemon();
    expect(harness.master.reports).toEqual([]);
    expect((await harness.queue.count()).hidden + (await harness.queue.count()).visible).toBe(1);
  });

  test("by schedule, at its last attempt: is reported", async () => {
    const time = "2026-03-01T03:00:00Z";
    harness.master.script("claimJob", undefined);
    const report = reported(jobIdFor(harness.siteId, time));
    await harness.queue.send(scheduled(time));
    const spent = { attempt: 3, max_attempts: 3 };
    await startDaemon(async (job) => {
      Object.assign(job.claim.job, spent);
      throw new BackupError("storage_unreachable");
    });
    await report;
    await harness.log.until("outbox.sent");
    expect(harness.master.reports).toMatchObject([
      { status: "failed", error: { code: "storage_unreachable" } },
    ]);
  });

  test("with an error nobody foresaw: is reported as unexpected", async () => {
    const jobId = randomUUID();
    const report = reported(jobId);
    await harness.queue.send(manual(jobId));
    await startDaemon(async () => {
      throw new TypeError("x is not a function");
    });
    await report;
    await harness.log.until("outbox.sent");
    expect(harness.master.reports).toMatchObject([{ status: "failed", error: { code: "unexpected" } }]);
  });
});

describe("a job that must end", () => {
  beforeEach(() => {
    harness.master.limits = { ...harness.master.limits, progress_seconds: 1 };
  });

  test("is aborted and reported when it is cancelled", async () => {
    const jobId = randomUUID();
    const report = reported(jobId);
    let reason: unknown;
    await harness.queue.send(manual(jobId));
    await startDaemon((job) => {
      const fake = harness.master.jobs.get(jobId);
      if (fake !== undefined) fake.job = { ...fake.job, cancel_requested: true };
      return untilAborted(job).finally(() => {
        reason = job.signal.reason;
      });
    });
    await report;
    await harness.log.until("outbox.sent");
    expect(reason).toMatchObject({ code: "cancelled" });
    expect(harness.master.reports).toMatchObject([{ status: "cancelled" }]);
  });

  test("is aborted when another runner has its lease, and says nothing about it", async () => {
    const jobId = randomUUID();
    await harness.queue.send(manual(jobId));
    await startDaemon((job) => {
      const fake = harness.master.jobs.get(jobId);
      if (fake !== undefined) fake.fencing += 1;
      return untilAborted(job);
    });
    expect(await harness.log.until("job.lost")).toMatchObject({ error: { code: "lease_lost" } });
    await stopDaemon();
    expect(harness.master.reports).toEqual([]);
    const { visible, hidden } = await harness.queue.count();
    expect(visible + hidden).toBe(1);
  });

  test("is given back, and visible at once, when the runner is stopped", async () => {
    const jobId = randomUUID();
    await harness.queue.send(manual(jobId));
    await startDaemon((job) => untilAborted(job));
    await harness.log.until("job.started");
    await stopDaemon();
    expect(harness.master.jobs.get(jobId)?.job).toMatchObject({
      state: "queued",
      error: { code: "interrupted" },
    });
    expect(await harness.queue.take()).toContain(jobId);
    expect(await spoolNames()).toEqual([]);
  });
});

describe("a full disk", () => {
  test("does not hide how the job ended: the report goes at once", async () => {
    const jobId = randomUUID();
    const report = reported(jobId);
    await harness.queue.send(manual(jobId));
    const deps = await harness.runner(async (job) => successOf(job), stop.signal);
    const put = (): Promise<never> => Promise.reject(new BackupError("disk_full"));
    running = runDaemon(stop.signal, { ...deps, outbox: { ...deps.outbox, put } });
    await report;
    await harness.log.until("job.ended");
    await stopDaemon();
    expect(harness.master.reports).toMatchObject([{ job_id: jobId, status: "success" }]);
    expect(await harness.queue.count()).toEqual({ visible: 0, hidden: 0 });
  });

  test("and the Master away: the job's message comes again", async () => {
    await harness.queue.send(manual(randomUUID()));
    const deps = await harness.runner(async (job) => {
      harness.master.script("reportBackup", () => "hang up");
      return successOf(job);
    }, stop.signal);
    const put = (): Promise<never> => Promise.reject(new BackupError("disk_full"));
    running = runDaemon(stop.signal, { ...deps, outbox: { ...deps.outbox, put } });
    await harness.log.until("claim.postponed");
    await stopDaemon();
    const { visible, hidden } = await harness.queue.count();
    expect(visible + hidden).toBe(1);
  });
});

describe("the Master away", () => {
  test("at the start: the daemon waits for it", async () => {
    await harness.master.goAway();
    await startDaemon(async (job) => successOf(job));
    expect(await harness.log.until("master.away")).toMatchObject({ error: { code: "master_unreachable" } });
    const jobId = randomUUID();
    const report = reported(jobId);
    await harness.queue.send(manual(jobId));
    await harness.master.comeBack();
    await report;
  });

  test("at the claim: the message stays, and no other is taken until the Master is back", async () => {
    let claims = 0;
    harness.master.script("claimJob", () => {
      claims += 1;
      return "hang up";
    });
    await harness.queue.send(manual(randomUUID()));
    await startDaemon(async (job) => successOf(job));
    expect(await harness.log.until("claim.postponed")).toMatchObject({
      error: { code: "master_unreachable" },
    });
    expect(claims).toBeGreaterThan(1);
    await stopDaemon();
    const { visible, hidden } = await harness.queue.count();
    expect(visible + hidden).toBe(1);
  });

  test("at the config before the claim: nothing is claimed, and the message stays", async () => {
    await startDaemon(async (job) => successOf(job));
    await harness.log.until("queue.opened");
    harness.master.script("getNodeConfig", () => "hang up");
    await harness.queue.send(manual(randomUUID()));
    await harness.log.until("claim.postponed");
    await harness.log.until("master.away");
    await stopDaemon();
    expect(harness.master.jobs.size).toBe(0);
    const { visible, hidden } = await harness.queue.count();
    expect(visible + hidden).toBe(1);
  });

  test("at a call of the job's own: it is tried again, then the job fails with that reason", async () => {
    let asked = 0;
    harness.master.script("checkSiteQuota", () => {
      asked += 1;
      return "hang up";
    });
    const jobId = randomUUID();
    const report = reported(jobId);
    await harness.queue.send(manual(jobId));
    await startDaemon(async (job) => {
      await job.master.call("checkSiteQuota", { params: { id: job.site.id }, signal: job.signal });
      return successOf(job);
    });
    await report;
    await harness.log.until("outbox.sent");
    expect(asked).toBeGreaterThan(3);
    expect(harness.master.reports).toMatchObject([
      { status: "failed", error: { code: "master_unreachable" } },
    ]);
  });

  test("at the report: it waits on the disk, the message is gone, and it is sent later", async () => {
    const jobId = randomUUID();
    harness.master.script("reportBackup", () => "hang up");
    await harness.queue.send(manual(jobId));
    await startDaemon(async (job) => successOf(job));
    await harness.log.until("outbox.waiting");
    expect(await harness.queue.count()).toEqual({ visible: 0, hidden: 0 });
    const report = reported(jobId);
    harness.master.script("reportBackup", undefined);
    await report;
    await harness.log.until("outbox.sent");
    expect(harness.master.reports).toMatchObject([{ job_id: jobId, status: "success" }]);
  });

  test("for some beats: the job goes on", async () => {
    const jobId = randomUUID();
    harness.master.limits = { ...harness.master.limits, progress_seconds: 1 };
    let beats = 0;
    const threeMissed = Promise.withResolvers<void>();
    harness.master.script("patchJob", () => {
      beats += 1;
      if (beats === 3) threeMissed.resolve();
      return beats <= 3 ? "hang up" : undefined;
    });
    const report = reported(jobId);
    await harness.queue.send(manual(jobId));
    await startDaemon(async (job) => {
      await threeMissed.promise;
      await job.lease.renew();
      return successOf(job);
    });
    await report;
    await harness.log.until("outbox.sent");
    expect(harness.master.reports).toMatchObject([{ job_id: jobId, status: "success" }]);
  });
});
