// Restores, undos and verifications through the Master over the wire: queued, claimed with their archive, reported,
// cancelled, and what the backup's record says afterwards.
import { randomUUID } from "node:crypto";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Claim } from "#shared/contracts/jobs.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { type FinishedBackup, finishBackup } from "#test/helpers/finished-backup.ts";
import {
  cancelReport,
  failReport,
  RESTORED,
  restoreReport,
  verified,
  verifyReport,
} from "#test/helpers/job-reports.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

let now = new Date("2030-01-01T03:00:00.000Z");
let master: Master;
let node: TestNode;
let site: Site;
let backup: FinishedBackup;
beforeAll(async () => {
  master = await startMaster({ now: () => now });
  node = await master.enrolNode();
});
afterAll(() => master.close());
beforeEach(async () => {
  pass(3600);
  site = await master.createSite(node.id, `site-${randomUUID()}`);
  backup = await finishBackup(master, node, site.id, { body: "0123456789" });
});

function pass(seconds: number): void {
  now = new Date(now.getTime() + seconds * 1000);
}

const refusedAs = (code: string): unknown => expect.objectContaining({ code });
const jobOf = (id: string) => master.admin.call("getJob", { id });
const backupOf = (id: string) => master.admin.call("getBackup", { id });

function claim(jobId: string, fields: Record<string, unknown> = {}, by: TestNode = node): Promise<Claim> {
  const body = { site_id: site.id, runner_id: randomUUID(), trigger: "manual" as const, ...fields };
  return by.client.call("claimJob", { id: jobId, body });
}

const report = (of: Claim, body: ReturnType<typeof restoreReport>) =>
  node.client.call("reportJob", { id: of.job.id, body });

async function startVerify(deep: boolean): Promise<Claim> {
  return claim((await master.admin.call("verifyBackup", { id: backup.id, body: { deep } })).job_id);
}

test("a restore goes from the operator through the queue to the runner and back", async () => {
  const own = await master.enrolNode("web9");
  site = await master.createSite(own.id, "other.example.com");
  const request = { only: ["db" as const], site_id: site.id, new_url: "https://other.example.com" };
  const { job_id: id } = await master.admin.call("restoreBackup", { id: backup.id, body: request });
  const { queue } = await own.client.call("getNodeConfig");
  const { Messages = [] } = await master.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 5 }),
  );
  const message = { v: 1, type: "restore", trigger: "manual", site_id: site.id, job_id: id };
  expect(JSON.parse(Messages[0]?.Body ?? "")).toMatchObject(message);

  const claimed = await claim(id, {}, own);
  expect(claimed.job).toMatchObject({
    type: "restore",
    source_backup_id: backup.id,
    request: { type: "restore", ...request, paths: [], dry_run: false },
    max_attempts: 1,
  });
  expect(claimed.source).toMatchObject({ backup_id: backup.id, s3_path: backup.s3Path, size_bytes: 10 });
  // Another node's archive: readable by the URL of the claim, and by a fresh one while the job runs.
  expect(await (await fetch(String(claimed.source?.url))).text()).toBe("0123456789");
  await expect(own.client.call("getNodeBackup", { id: backup.id })).rejects.toEqual(
    refusedAs("not_your_site"),
  );
  const query = { job_id: id };
  const fresh = await own.client.call("getNodeBackup", { id: backup.id, query });
  expect(await (await fetch(fresh.url)).text()).toBe("0123456789");

  const reported = await own.client.call("reportJob", { id, body: restoreReport(claimed) });
  expect(reported).toEqual({ job_id: id, state: "succeeded", backup_id: null });
  expect(await own.client.call("reportJob", { id, body: restoreReport(claimed) })).toEqual(reported);
  expect(await jobOf(id)).toMatchObject({ state: "succeeded", result: { restore: RESTORED } });
  await expect(own.client.call("getNodeBackup", { id: backup.id, query })).rejects.toEqual(
    refusedAs("not_your_site"),
  );
});

test("a trial of the restored WordPress needs a deep verification, now and by schedule", async () => {
  const schedule = { expression: "rate(7 days)", time_zone: "UTC", deep: false, boot: true };
  for (const refused of [
    master.admin.call("verifyBackup", { id: backup.id, body: { boot: true } }),
    master.admin.call("putSiteProof", { id: site.id, body: schedule }),
  ]) {
    await expect(refused).rejects.toEqual(refusedAs("invalid_request"));
  }
  const { job_id: id } = await master.admin.call("verifyBackup", {
    id: backup.id,
    body: { deep: true, boot: true },
  });
  expect((await claim(id)).job.request).toEqual({ type: "verify", deep: true, boot: true });
});

test("one job per site at a time, whatever its type, and each is cancelled by its id", async () => {
  const { job_id: id } = await master.admin.call("undoRestore", { id: site.id, body: {} });
  for (const start of [
    () => master.admin.call("startBackup", { id: site.id, body: {} }),
    () => master.admin.call("restoreBackup", { id: backup.id, body: {} }),
    () => master.admin.call("verifyBackup", { id: backup.id, body: {} }),
  ]) {
    await expect(start()).rejects.toEqual(refusedAs("backup_in_progress"));
  }
  await expect(master.admin.call("stopBackup", { id: site.id })).rejects.toEqual(
    refusedAs("nothing_to_stop"),
  );
  const claimed = await claim(id);
  expect([claimed.source, claimed.previous]).toEqual([undefined, undefined]);
  expect(await master.admin.call("cancelJob", { id })).toEqual({ job_id: id, state: "running" });
  const patched = await node.client.call("patchJob", { id, body: { fencing: 1 } });
  expect(patched.cancel_requested).toBe(true);
  await report(claimed, cancelReport(claimed));
  expect(await jobOf(id)).toMatchObject({ state: "cancelled", type: "undo" });
  await expect(master.admin.call("cancelJob", { id })).rejects.toEqual(refusedAs("nothing_to_stop"));
  // The status of backups does not speak of it.
  const { last } = await master.admin.call("getBackupStatus", { id: site.id });
  expect(last?.id).toBe(backup.jobId);
});

test("a queued restore is cancelled at once, and one that nobody took expires after an hour", async () => {
  const start = async () => (await master.admin.call("restoreBackup", { id: backup.id, body: {} })).job_id;
  const first = await start();
  expect((await master.admin.call("cancelJob", { id: first })).state).toBe("cancelled");
  const second = await start();
  pass(3601);
  await expect(claim(second)).rejects.toEqual(refusedAs("job_ended"));
  expect((await jobOf(second)).state).toBe("expired");
});

test("a restore whose runner died is not tried again; one that its runner gave back is", async () => {
  const start = async () => (await master.admin.call("restoreBackup", { id: backup.id, body: {} })).job_id;
  const died = await claim(await start());
  pass(301);
  await expect(claim(died.job.id)).rejects.toEqual(refusedAs("job_ended"));
  expect(await jobOf(died.job.id)).toMatchObject({ state: "failed", error: { code: "runner_lost" } });
  const given = await claim(await start());
  const release = { code: "interrupted", message: "backupd stops" };
  await node.client.call("patchJob", { id: given.job.id, body: { fencing: 1, release } });
  expect((await claim(given.job.id)).fencing).toBe(3);
});

test("a paused site is restored and verified by hand, but nothing happens by itself", async () => {
  await master.admin.call("patchSite", { id: site.id, body: { state: "paused" } });
  const { job_id: id } = await master.admin.call("restoreBackup", { id: backup.id, body: {} });
  const claimed = await claim(id);
  await report(claimed, restoreReport(claimed));
  expect((await jobOf(id)).state).toBe("succeeded");
  const scheduledTime = now.toISOString();
  const proof = jobIdFor(site.id, scheduledTime, "verify");
  const fields = { trigger: "schedule", type: "verify", scheduled_time: scheduledTime };
  await expect(claim(proof, fields)).rejects.toEqual(refusedAs("job_ended"));
  expect(await jobOf(proof)).toMatchObject({ state: "skipped", reason: "The site is paused." });
});

test("what a restore cannot mean is refused before it is queued", async () => {
  const bodies = [
    { only: ["db"], paths: ["wp-content/x"] },
    { only: ["files"], new_url: "https://a.example" },
    { paths: ["wp-content/x"], new_url: "https://a.example" },
    { to: "/tmp/x", new_url: "https://a.example" },
    { too: "/tmp/x" },
    { only: [] },
  ];
  for (const body of bodies) {
    const answer = await master.admin.request("POST", `/backups/${backup.id}/restore`, { body });
    expect([body, answer.status, answer.json.code]).toEqual([body, 400, "invalid_request"]);
  }
  expect((await master.admin.call("getSite", { id: site.id })).active_job_id).toBeNull();
});

test("verifications are kept with the backup: proved, failed, and failed until one as deep finds nothing", async () => {
  expect(await backupOf(backup.id)).toMatchObject({ verified_at: null, proved_at: null, proof: null });
  const shallow = await startVerify(false);
  await report(shallow, verifyReport(shallow, false));
  expect(await backupOf(backup.id)).toMatchObject({ verified_at: now.toISOString(), proved_at: null });

  pass(60);
  const deep = await startVerify(true);
  await report(deep, verifyReport(deep, true));
  const provedAt = now.toISOString();
  expect(await backupOf(backup.id)).toMatchObject({ proved_at: provedAt, proof: verified(true) });

  pass(60);
  const findings = [{ code: "table_missing", message: "wp_posts is not in the dump" }];
  const failing = await startVerify(true);
  await report(failing, failReport(failing, findings));
  const failed = { at: now.toISOString(), job_id: failing.job.id, deep: true, findings };
  expect(await backupOf(backup.id)).toMatchObject({ proved_at: provedAt, verification_failed: failed });
  expect(await jobOf(failing.job.id)).toMatchObject({ state: "failed", findings });
  const { items } = await master.admin.call("listActivity", { query: { limit: 5 } });
  expect(items).toContainEqual(
    expect.objectContaining({
      action: "backup.verification_failed",
      target: { kind: "backup", id: backup.id },
    }),
  );

  const again = await startVerify(false);
  await report(again, verifyReport(again, false));
  expect((await backupOf(backup.id)).verification_failed).toMatchObject(failed);
  const cleared = await startVerify(true);
  await report(cleared, verifyReport(cleared, true));
  expect((await backupOf(backup.id)).verification_failed).toBeNull();
});

test("a verification that could not be made says nothing about the backup", async () => {
  const claimed = await startVerify(true);
  await report(claimed, failReport(claimed));
  expect(await backupOf(backup.id)).toMatchObject({ verification_failed: null, verified_at: null });
});

test("reports are believed only where they belong", async () => {
  const claimed = await startVerify(true);
  const wrong = { ...verifyReport(claimed, true), fencing: 7 };
  await expect(report(claimed, wrong)).rejects.toEqual(refusedAs("lease_lost"));
  await expect(report(claimed, restoreReport(claimed))).rejects.toEqual(refusedAs("invalid_request"));
  const stranger = await master.enrolNode(`web-${randomUUID()}`);
  const foreign = stranger.client.call("reportJob", {
    id: claimed.job.id,
    body: verifyReport(claimed, true),
  });
  await expect(foreign).rejects.toEqual(refusedAs("not_your_site"));
  const asBackup = { ...cancelReport(claimed), job_id: claimed.job.id, stages: [] };
  const misplaced = await node.client.request("POST", "/backups", { body: asBackup });
  expect([misplaced.status, misplaced.json.code]).toEqual([400, "invalid_request"]);
  expect((await jobOf(claimed.job.id)).state).toBe("running");
});

test("a scheduled proof takes the newest backup there is, once", async () => {
  pass(60);
  const newest = await finishBackup(master, node, site.id);
  const scheduledTime = now.toISOString();
  const fields = { trigger: "schedule", type: "verify", scheduled_time: scheduledTime };
  const id = jobIdFor(site.id, scheduledTime, "verify");
  const claimed = await claim(id, fields);
  expect(claimed.job).toMatchObject({ type: "verify", request: { type: "verify", deep: true } });
  expect(claimed.source?.backup_id).toBe(newest.id);
  await report(claimed, verifyReport(claimed, true));
  await expect(claim(id, fields)).rejects.toEqual(refusedAs("job_ended"));
  expect((await backupOf(newest.id)).proved_at).toBe(now.toISOString());
});

test("a scheduled proof of a site without backups is skipped and says why", async () => {
  site = await master.createSite(node.id, "empty.example.com");
  const scheduledTime = now.toISOString();
  const id = jobIdFor(site.id, scheduledTime, "verify");
  const fields = { trigger: "schedule", type: "verify", scheduled_time: scheduledTime };
  await expect(claim(id, fields)).rejects.toEqual(refusedAs("job_ended"));
  expect(await jobOf(id)).toMatchObject({ state: "skipped", reason: "The site has no backup yet." });
});
