// Leases, reports and dead letters over the wire, with the Master's clock in the test's hand.
import { randomUUID } from "node:crypto";
import { GetObjectCommand, NoSuchKey, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Context, SQSEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { handler as deadLetter } from "#functions/dead-letter.ts";
import type { Claim } from "#shared/contracts/jobs.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { objectKey } from "#shared/object-key.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { failureReport, successReport } from "#test/helpers/reports.ts";

let now = new Date("2030-01-01T03:00:00.000Z");
let master: Master;
let node: TestNode;
let site: Site;
beforeAll(async () => {
  master = await startMaster({ now: () => now });
  node = await master.enrolNode();
});
afterAll(() => master.close());
beforeEach(async () => {
  pass(3600);
  site = await master.createSite(node.id, `site-${randomUUID()}`);
});

function pass(seconds: number): void {
  now = new Date(now.getTime() + seconds * 1000);
}

async function start(): Promise<string> {
  return (await master.admin.call("startBackup", { id: site.id, body: {} })).job_id;
}

function claim(jobId: string, fields: Record<string, unknown> = {}): Promise<Claim> {
  const body = { site_id: site.id, runner_id: randomUUID(), trigger: "manual" as const, ...fields };
  return node.client.call("claimJob", { id: jobId, body });
}

function claimScheduled(scheduledTime: string): Promise<Claim> {
  const jobId = jobIdFor(site.id, scheduledTime);
  return claim(jobId, { trigger: "schedule", scheduled_time: scheduledTime });
}

async function upload(of: Pick<Claim, "s3_path">, body = "1234567"): Promise<void> {
  await master.s3.send(
    new PutObjectCommand({ Bucket: master.bucket, Key: objectKey(of.s3_path), Body: body }),
  );
}

const stateOf = async (id: string): Promise<string> => (await master.admin.call("getJob", { id })).state;
const refusedAs = (code: string): unknown => expect.objectContaining({ code });

test("a lease runs out, another runner takes over, and the first one is told", async () => {
  const scheduledTime = now.toISOString();
  const first = await claimScheduled(scheduledTime);
  await expect(claimScheduled(scheduledTime)).rejects.toEqual(refusedAs("lease_held"));
  pass(301);
  expect(await stateOf(first.job.id)).toBe("queued");
  const second = await claimScheduled(scheduledTime);
  expect([second.fencing, second.job.attempt]).toEqual([2, 2]);
  expect(second.s3_path).not.toBe(first.s3_path);
  const body = { fencing: first.fencing };
  await expect(node.client.call("patchJob", { id: first.job.id, body })).rejects.toEqual(
    refusedAs("lease_lost"),
  );
});

test("renewing keeps a lease alive, also one that is over but that nobody took", async () => {
  const claimed = await claim(await start());
  for (const seconds of [299, 299, 400]) {
    pass(seconds);
    const patched = await node.client.call("patchJob", { id: claimed.job.id, body: { fencing: 1 } });
    expect(patched.lease_expires_at).toBe(new Date(now.getTime() + 300_000).toISOString());
  }
});

test("the process that lost its claim's answer asks again and goes on", async () => {
  const jobId = await start();
  const runnerId = randomUUID();
  await claim(jobId, { runner_id: runnerId });
  const again = await claim(jobId, { runner_id: runnerId });
  expect([again.fencing, again.job.attempt]).toEqual([2, 1]);
});

test("three attempts, then the job has failed with the last error", async () => {
  const scheduledTime = now.toISOString();
  const release = { code: "db_unreachable", message: "no answer" };
  for (const state of ["queued", "queued", "failed"]) {
    const { job, fencing } = await claimScheduled(scheduledTime);
    const patched = await node.client.call("patchJob", { id: job.id, body: { fencing, release } });
    expect(patched.state).toBe(state);
  }
  const job = await master.admin.call("getJob", { id: jobIdFor(site.id, scheduledTime) });
  expect(job).toMatchObject({ state: "failed", error: release, attempt: 3 });
  await expect(claimScheduled(scheduledTime)).rejects.toEqual(refusedAs("job_ended"));
});

test("stop reaches a queued job at once and a running one with its next progress", async () => {
  const queued = await start();
  expect(await master.admin.call("stopBackup", { id: site.id })).toEqual({
    job_id: queued,
    state: "cancelled",
  });
  await expect(claim(queued)).rejects.toEqual(refusedAs("job_ended"));
  await expect(master.admin.call("stopBackup", { id: site.id })).rejects.toEqual(
    refusedAs("nothing_to_stop"),
  );
  const running = await claim(await start());
  expect((await master.admin.call("stopBackup", { id: site.id })).state).toBe("running");
  const patched = await node.client.call("patchJob", { id: running.job.id, body: { fencing: 1 } });
  expect(patched.cancel_requested).toBe(true);
  const { error: _error, ...rest } = failureReport(running);
  const reported = await node.client.call("reportBackup", { body: { ...rest, status: "cancelled" } });
  expect(reported.state).toBe("cancelled");
});

test("a paused site starts nothing and skips what comes", async () => {
  const jobId = await start();
  await master.admin.call("patchSite", { id: site.id, body: { state: "paused" } });
  await expect(claim(jobId)).rejects.toEqual(refusedAs("job_ended"));
  expect(await stateOf(jobId)).toBe("skipped");
  await expect(start()).rejects.toEqual(refusedAs("site_paused"));
  await expect(claimScheduled(now.toISOString())).rejects.toEqual(refusedAs("job_ended"));
});

test("a scheduled job that a newer backup outdid, or that came too late, expires", async () => {
  const early = now.toISOString();
  pass(60);
  const manual = await claim(await start());
  await upload(manual);
  await node.client.call("reportBackup", { body: successReport(manual, 7) });
  pass(60);
  await expect(claimScheduled(early)).rejects.toEqual(refusedAs("job_ended"));
  const job = await master.admin.call("getJob", { id: jobIdFor(site.id, early) });
  expect([job.state, job.reason]).toEqual(["expired", "A newer backup of the site succeeded meanwhile."]);

  const late = now.toISOString();
  pass(86_401);
  await expect(claimScheduled(late)).rejects.toEqual(refusedAs("job_ended"));
  expect(await stateOf(jobIdFor(site.id, late))).toBe("expired");
});

test("run-once on the node makes its own job", async () => {
  const jobId = randomUUID();
  await expect(claim(jobId)).rejects.toEqual(refusedAs("not_found"));
  expect((await claim(jobId, { create: true })).job).toMatchObject({
    id: jobId,
    trigger: "manual",
    attempt: 1,
  });
});

test("a success counts only when the object is there with that size", async () => {
  const claimed = await claim(await start());
  const report = (sizeBytes: number): Promise<unknown> =>
    node.client.call("reportBackup", { body: successReport(claimed, sizeBytes) });
  await expect(report(7)).rejects.toEqual(refusedAs("object_missing"));
  await upload(claimed);
  await expect(report(8)).rejects.toEqual(refusedAs("object_missing"));
  expect(await stateOf(claimed.job.id)).toBe("running");
  await report(7);
  expect(await stateOf(claimed.job.id)).toBe("succeeded");
});

test("a success elsewhere is refused", async () => {
  const claimed = await claim(await start());
  const stranger = claimed.s3_path.replace(node.id, randomUUID());
  for (const s3Path of [stranger, "/x", "/../x", claimed.s3_path.replace(".tar", "_.tar")]) {
    const body = successReport({ ...claimed, s3_path: s3Path }, 7);
    await expect(node.client.call("reportBackup", { body })).rejects.toEqual(refusedAs("invalid_request"));
  }
});

test("a late success corrects a Master that had given the runner up", async () => {
  const claimed = await claim(randomUUID(), { create: true });
  await upload(claimed);
  pass(301);
  expect(await stateOf(claimed.job.id)).toBe("failed");
  // A new job is under way by now, and stays the active one.
  const next = await claim(await start());
  const reported = await node.client.call("reportBackup", { body: successReport(claimed, 7) });
  expect(reported.state).toBe("succeeded");
  expect(await master.admin.call("getSite", { id: site.id })).toMatchObject({
    active_job_id: next.job.id,
    last_backup_id: reported.backup_id,
  });
});

test("the archive of a runner that was replaced is removed, and the other's is not", async () => {
  const scheduledTime = now.toISOString();
  const zombie = await claimScheduled(scheduledTime);
  pass(301);
  const winner = await claimScheduled(scheduledTime);
  await upload(zombie);
  await upload(winner);
  const reportOf = (of: Claim): Promise<unknown> =>
    node.client.call("reportBackup", { body: successReport(of, 7) });
  const read = (of: Claim): Promise<unknown> =>
    master.s3.send(new GetObjectCommand({ Bucket: master.bucket, Key: objectKey(of.s3_path) }));
  await read(zombie);
  await expect(reportOf(zombie)).rejects.toEqual(refusedAs("lease_lost"));
  await expect(read(zombie)).rejects.toBeInstanceOf(NoSuchKey);
  await reportOf(winner);
  await expect(reportOf(zombie)).rejects.toEqual(refusedAs("lease_lost"));
  await read(winner);
});

test("a hacked node cannot have its recorded backups removed by a stale report", async () => {
  const old = await claim(await start());
  await upload(old);
  await node.client.call("reportBackup", { body: successReport(old, 7) });
  const scheduledTime = now.toISOString();
  pass(5);
  const zombie = await claimScheduled(new Date(Date.parse(scheduledTime) + 5000).toISOString());
  pass(301);
  const winner = await claim(zombie.job.id);
  await upload(winner);
  await node.client.call("reportBackup", { body: successReport(winner, 7) });
  const forged = successReport({ ...zombie, s3_path: old.s3_path }, 7);
  await expect(node.client.call("reportBackup", { body: forged })).rejects.toEqual(refusedAs("lease_lost"));
  await master.s3.send(new GetObjectCommand({ Bucket: master.bucket, Key: objectKey(old.s3_path) }));
});

test("failures are kept with the runner's own words", async () => {
  const claimed = await claim(await start());
  await node.client.call("reportBackup", { body: failureReport(claimed) });
  const status = await master.admin.call("getBackupStatus", { id: site.id });
  expect(status).toMatchObject({ active: null, last: { state: "failed", error: { code: "dump_failed" } } });
});

test("a start whose message cannot be sent ends as failed, and the next one is free", async () => {
  const broken = await master.enrolNode("broken");
  const own = await master.createSite(broken.id);
  const config = await broken.client.call("getNodeConfig");
  const { DeleteQueueCommand } = await import("@aws-sdk/client-sqs");
  await master.sqs.send(new DeleteQueueCommand({ QueueUrl: config.queue.url }));
  const failing = master.admin.call("startBackup", { id: own.id, body: {} });
  await expect(failing).rejects.toEqual(refusedAs("queue_unreachable"));
  const status = await master.admin.call("getBackupStatus", { id: own.id });
  expect(status).toMatchObject({
    active: null,
    last: { state: "failed", error: { code: "queue_unreachable" } },
  });
});

test("dead letters end their jobs; nonsense is dropped; none is delivered again", async () => {
  const jobId = await start();
  const scheduledTime = now.toISOString();
  const base = { v: 1, type: "backup", site_id: site.id };
  const bodies = [
    JSON.stringify({ ...base, trigger: "manual", job_id: jobId }),
    JSON.stringify({ ...base, trigger: "schedule", scheduled_time: scheduledTime, execution_id: "e" }),
    "not json",
    JSON.stringify({ ...base, site_id: randomUUID(), trigger: "manual", job_id: randomUUID() }),
  ];
  const event = { Records: bodies.map((body, index) => ({ messageId: String(index), body })) };
  const answer = await deadLetter(event as SQSEvent, {} as Context);
  expect(answer).toEqual({ batchItemFailures: [] });
  for (const id of [jobId, jobIdFor(site.id, scheduledTime)]) {
    const job = await master.admin.call("getJob", { id });
    expect(job).toMatchObject({ state: "failed", error: { code: "runner_lost" } });
  }
  expect((await master.admin.call("getSite", { id: site.id })).active_job_id).toBeNull();
});
