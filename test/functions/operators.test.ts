// What operators do all day: nodes, sites, quotas, schedules and lists, and the trace that each change leaves.

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { GetScheduleCommand, ResourceNotFoundException, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetQueueAttributesCommand, QueueDoesNotExist } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NodeCredentials } from "#shared/contracts/nodes.ts";
import { objectKey } from "#shared/object-key.ts";
import { OPERATIONS, type Operation } from "#shared/operations.ts";
import { ProblemError } from "#test/helpers/api-client.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, readableArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { successReport } from "#test/helpers/reports.ts";

let master: Master;
let node: TestNode;
beforeAll(async () => {
  master = await startMaster();
  node = await master.enrolNode();
});
afterAll(() => master.close());

const refusedAs = (code: string): unknown => expect.objectContaining({ code });

async function backUp(siteId: string, sizeBytes: number): Promise<string> {
  const { job_id: id } = await master.admin.call("startBackup", { id: siteId, body: {} });
  const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const };
  const claim = await node.client.call("claimJob", { id, body });
  const Body = Buffer.alloc(sizeBytes);
  await master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key: objectKey(claim.s3_path), Body }));
  const { backup_id: backupId } = await node.client.call("reportBackup", {
    body: successReport(claim, sizeBytes),
  });
  return String(backupId);
}

test("quotas count what is recorded, at once, for the site and for its node", async () => {
  const [one, two] = [await master.createSite(node.id, "quota1"), await master.createSite(node.id, "quota2")];
  await master.admin.call("putSiteQuota", { id: one.id, body: { quota_bytes: 250 } });
  await master.admin.call("putNodeQuota", { id: node.id, body: { quota_bytes: 350 } });
  const check = (id: string) => node.client.call("checkSiteQuota", { id });
  expect(await check(one.id)).toMatchObject({ can_proceed: true, used_bytes: 0, reason: null });
  await backUp(one.id, 100);
  expect(await check(one.id)).toMatchObject({ can_proceed: true, used_bytes: 100, projected_bytes: 200 });
  await backUp(one.id, 100);
  expect(await check(one.id)).toMatchObject({
    can_proceed: false,
    would_exceed_site_quota: true,
    would_exceed_node_quota: false,
    reason: "The site's backups use 200 B of 250 B; a backup of about 100 B would not fit.",
  });
  await backUp(two.id, 100);
  expect(await check(two.id)).toMatchObject({
    can_proceed: false,
    node_used_bytes: 300,
    would_exceed_site_quota: false,
    would_exceed_node_quota: true,
  });
  expect(await master.admin.call("getSiteQuotaStatus", { id: two.id })).toEqual(await check(two.id));
  await master.admin.call("putNodeQuota", { id: node.id, body: { quota_bytes: null } });
  expect(await check(two.id)).toMatchObject({ can_proceed: true, node_quota_bytes: null });
});

test("a site's schedule is made, changed and removed with it", async () => {
  const scheduler = new SchedulerClient({
    region: "us-east-1",
    endpoint: master.scheduler.endpoint,
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
  });
  const site = await master.admin.call("createSite", {
    body: { node_id: node.id, name: "timed", path: "/timed", schedule: { expression: "rate(1 day)" } },
  });
  const read = (prefix = "site") =>
    scheduler.send(new GetScheduleCommand({ Name: `${prefix}-${site.id}`, GroupName: "backupd-local" }));
  const made = await read();
  expect(made).toMatchObject({ ScheduleExpression: "rate(1 day)", State: "ENABLED" });
  expect(made.Target?.Arn).toContain(`:backupd-local-node-${node.id}`);
  expect(JSON.parse(String(made.Target?.Input))).toMatchObject({ site_id: site.id, trigger: "schedule" });
  const body = {
    expression: "cron(0 3 * * ? *)",
    time_zone: "Europe/Berlin",
    flexible_minutes: 0,
    enabled: false,
  };
  const proof = { expression: "rate(7 days)", deep: false };
  expect((await master.admin.call("putSiteProof", { id: site.id, body: proof })).proof).toMatchObject(proof);
  expect(await read("proof")).toMatchObject({ ScheduleExpression: "rate(7 days)", State: "ENABLED" });
  await master.admin.call("patchSite", { id: site.id, body: { state: "paused" } });
  expect(await read()).toMatchObject({ ScheduleExpression: "rate(1 day)", State: "DISABLED" });
  expect(await read("proof")).toMatchObject({ State: "DISABLED" });
  await master.admin.call("patchSite", { id: site.id, body: { state: "active" } });
  expect(await read()).toMatchObject({ State: "ENABLED" });
  await master.admin.call("putSiteSchedule", { id: site.id, body });
  expect(await read()).toMatchObject({
    ScheduleExpressionTimezone: "Europe/Berlin",
    State: "DISABLED",
    FlexibleTimeWindow: { Mode: "OFF" },
  });
  await master.admin.call("deleteSite", { id: site.id });
  await expect(read()).rejects.toBeInstanceOf(ResourceNotFoundException);
  await expect(read("proof")).rejects.toBeInstanceOf(ResourceNotFoundException);
  await expect(master.admin.call("getSite", { id: site.id })).rejects.toEqual(refusedAs("not_found"));
  const { items } = await master.admin.call("listSites", { query: { node_id: node.id } });
  expect(items.map(({ id }) => id)).not.toContain(site.id);
  // Name and path are free again.
  await master.createSite(node.id, "timed", "/timed");
  scheduler.destroy();
});

test("a removed site's backup is stopped, and what its runner finished is still recorded", async () => {
  const [queued, running] = [
    await master.createSite(node.id, "gone1"),
    await master.createSite(node.id, "gone2"),
  ];
  const waiting = await master.admin.call("startBackup", { id: queued.id, body: {} });
  const { job_id: id } = await master.admin.call("startBackup", { id: running.id, body: {} });
  const body = { site_id: running.id, runner_id: randomUUID(), trigger: "manual" as const };
  const claim = await node.client.call("claimJob", { id, body });
  for (const site of [queued, running]) await master.admin.call("deleteSite", { id: site.id });
  expect((await master.admin.call("getJob", { id: waiting.job_id })).state).toBe("cancelled");
  expect((await node.client.call("patchJob", { id, body: { fencing: 1 } })).cancel_requested).toBe(true);
  const object = { Bucket: master.bucket, Key: objectKey(claim.s3_path), Body: "12345" };
  await master.s3.send(new PutObjectCommand(object));
  const reported = await node.client.call("reportBackup", { body: successReport(claim, 5) });
  expect((await master.admin.call("getBackup", { id: String(reported.backup_id) })).size_bytes).toBe(5);
});

test("a site whose schedule cannot be made is not made either", async () => {
  const body = { node_id: node.id, name: "half", path: "/half" };
  // Past: the syntax is right, but Scheduler refuses it.
  const past = { ...body, schedule: { expression: "at(2001-01-01T00:00:00)" } };
  await expect(master.admin.call("createSite", { body: past })).rejects.toBeInstanceOf(ProblemError);
  expect((await master.admin.call("createSite", { body })).schedule).toBeNull();
});

test("nothing is started on a disabled node", async () => {
  const disabled = await master.enrolNode("disabled");
  const site = await master.createSite(disabled.id);
  await master.admin.call("patchNode", { id: disabled.id, body: { state: "disabled" } });
  const start = master.admin.call("startBackup", { id: site.id, body: {} });
  await expect(start).rejects.toEqual(refusedAs("node_disabled"));
});

test("names and paths are unique on a node, and free on another", async () => {
  const site = await master.createSite(node.id, "unique", "/unique");
  await expect(master.createSite(node.id, "Unique", "/b")).rejects.toEqual(refusedAs("conflict"));
  await expect(master.createSite(node.id, "b", "/unique")).rejects.toEqual(refusedAs("conflict"));
  const other = await master.enrolNode("other");
  await master.createSite(other.id, "unique", "/unique");
  const renamed = await master.admin.call("patchSite", { id: site.id, body: { name: "renamed" } });
  expect(renamed.name).toBe("renamed");
  await master.createSite(node.id, "unique", "/c");
  const back = { id: site.id, body: { name: "unique" } };
  await expect(master.admin.call("patchSite", back)).rejects.toEqual(refusedAs("conflict"));
});

test("a node goes with its queue, but not before its sites", async () => {
  const leaving = await master.enrolNode("leaving");
  const { queue } = await leaving.client.call("getNodeConfig");
  const site = await master.createSite(leaving.id);
  const remove = () => master.admin.call("deleteNode", { id: leaving.id });
  await expect(remove()).rejects.toEqual(refusedAs("conflict"));
  await master.admin.call("deleteSite", { id: site.id });
  await remove();
  const look = master.sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue.url }));
  await expect(look).rejects.toBeInstanceOf(QueueDoesNotExist);
  await expect(master.createSite(leaving.id)).rejects.toEqual(refusedAs("not_found"));
});

test("the config revision changes with what the node works on, and with nothing else", async () => {
  const watched = await master.enrolNode("watched");
  const beat = {
    version: "1",
    platform: "linux",
    disk_free_bytes: 1,
    disk_total_bytes: 2,
    running_job_id: null,
    outbox_length: 0,
  };
  const revision = async () => (await watched.client.call("heartbeatNode", { body: beat })).config_revision;
  const first = await revision();
  expect((await watched.client.call("getNodeConfig")).revision).toBe(first);
  const site = await master.createSite(watched.id);
  const second = await revision();
  expect(second).not.toBe(first);
  await master.admin.call("putSiteQuota", { id: site.id, body: { quota_bytes: 5 } });
  expect(await revision()).toBe(second);
  await master.admin.call("patchSite", { id: site.id, body: { exclude: ["uploads/tmp/**"] } });
  expect(await revision()).not.toBe(second);
  expect(await master.admin.call("getNode", { id: watched.id })).toMatchObject({
    platform: "linux",
    outbox_length: 0,
  });
});

test("lists page to their end without a gap or a repetition, newest first", async () => {
  const site = await master.createSite(node.id, "pages");
  const made: string[] = [];
  for (let count = 0; count < 5; count += 1) made.unshift(await backUp(site.id, 10 + count));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: Record<string, string | number> = { site_id: site.id, limit: 2, ...(cursor && { cursor }) };
    const page = await master.admin.call("listBackups", { query });
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(made);
  const all = await master.admin.call("listBackups");
  const times = all.items.map(({ created_at: at }) => at);
  expect(times).toEqual(times.toSorted().reverse());
  const done = await master.admin.call("listJobs", { query: { site_id: site.id, state: "succeeded" } });
  expect(done.items).toHaveLength(5);
  const queued = await master.admin.call("listJobs", { query: { site_id: site.id, state: "queued" } });
  expect(queued.items).toEqual([]);
});

test("every change leaves a record of who did what to what, without secrets", async () => {
  const seen = new Set((await allActivity()).map(({ action }) => action));
  const { token, id: tokenId } = await master.admin.call("createEnrollmentToken", { body: { label: "x" } });
  await master.admin.call("deleteEnrollmentToken", { id: tokenId });
  const apiToken = await master.admin.call("createApiToken", { body: { label: "y", role: "operator" } });
  const site = await master.createSite(node.id, "traced");
  const operator = master.withToken(apiToken.token);
  await operator.call("startBackup", { id: site.id, body: {} });
  await operator.call("stopBackup", { id: site.id });
  await master.admin.call("putSiteRetention", { id: site.id, body: { keep_last: 5 } });
  await operator.call("deleteSiteRetention", { id: site.id });
  await operator.call("putSiteProof", { id: site.id, body: { expression: "rate(7 days)" } });
  const backupId = await backUp(site.id, 5);
  await operator.call("downloadBackup", { id: backupId });
  const contents = { "wp-config.php": Buffer.from("x") };
  const { object, sha256Index } = await readableArchive(filesOf({ "wp-config.php": 1 }), contents, 4096);
  const readable = { body: object, archive: { sha256_index: sha256Index } };
  const { id: archiveId } = await finishBackup(master, node, site.id, readable);
  await operator.call("getBackupFile", { id: archiveId, query: { path: "wp-config.php" } });
  await operator.call("patchSite", { id: site.id, body: { state: "paused" } });
  for (const started of [
    () => operator.call("restoreBackup", { id: backupId, body: {} }),
    () => operator.call("undoRestore", { id: site.id, body: {} }),
    () => operator.call("verifyBackup", { id: backupId, body: {} }),
  ]) {
    await operator.call("cancelJob", { id: (await started()).job_id });
  }
  for (const held of [true, false]) await operator.call("putBackupHold", { id: backupId, body: { held } });
  await master.admin.call("deleteBackup", { id: backupId });
  await operator.call("patchNode", { id: node.id, body: { name: "renamed" } });
  await master.admin.call("testAlerts");
  const watchdog = { kind: "heartbeat" as const, url: "https://127.0.0.1:9/beat" };
  const { id: targetId } = await master.admin.call("createAlertTarget", { body: watchdog });
  await master.admin.call("testAlertTarget", { id: targetId });
  await master.admin.call("deleteAlertTarget", { id: targetId });
  await master.admin.call("reconcileStorage", { body: {} });
  await master.admin.call("checkDrift", { body: {} });
  const role_arn = "arn:aws:iam::000000000000:role/backupd-storage-x";
  const { id: providerId } = await master.admin.call("createStorageProvider", {
    body: { kind: "aws", name: "other", region: "us-east-1", bucket: master.bucket, role_arn },
  });
  await master.admin.call("patchStorageProvider", { id: providerId, body: { name: "another" } });
  await master.admin.call("testStorageProvider", { id: providerId });
  await master.admin.call("deleteStorageProvider", { id: providerId });
  await master.admin.call("deleteSite", { id: site.id });
  await master.admin.call("deleteApiToken", { id: apiToken.id });
  const activity = await allActivity();
  for (const { action } of activity) seen.add(action);
  for (const { activity: action } of Object.values(OPERATIONS) as Operation[]) {
    if (action !== undefined) expect(seen).toContain(action);
  }
  const paused = activity.find(({ action, target }) => action === "site.changed" && target.id === site.id);
  expect(paused).toMatchObject({
    actor: { kind: "operator", id: apiToken.id, label: "y" },
    target: { kind: "site", id: site.id },
    details: { state: "paused" },
  });
  const text = JSON.stringify(activity);
  for (const secret of [token, apiToken.token]) expect(text).not.toContain(secret);
});

async function allActivity() {
  return (await master.admin.call("listActivity", { query: { limit: 200 } })).items;
}

const run = promisify(execFile);
const hasAge = await run("age", ["--version"]).then(
  () => true,
  () => false,
);

test.runIf(hasAge)("the stock age program opens the sealed credentials", async () => {
  const dir = await mkdtemp(join(tmpdir(), "backupd-age-"));
  try {
    const [identity, sealed] = [join(dir, "identity"), join(dir, "credentials.age")];
    await writeFile(identity, node.ageIdentity, { mode: 0o600 });
    await writeFile(sealed, (await node.client.call("getNodeConfig")).credentials);
    const { stdout } = await run("age", ["--decrypt", "--identity", identity, sealed]);
    expect(NodeCredentials.parse(JSON.parse(stdout)).session_token).toBeDefined();
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("the credentials open the node's own prefix and queue, and nothing else", async () => {
  const { armor, Decrypter } = await import("age-encryption");
  const { S3Client, GetObjectCommand, DeleteObjectCommand, ListObjectsV2Command } = await import(
    "@aws-sdk/client-s3"
  );
  const config = await node.client.call("getNodeConfig");
  const decrypter = new Decrypter();
  decrypter.addIdentity(node.ageIdentity);
  const text = await decrypter.decrypt(armor.decode(config.credentials), "text");
  const { access_key_id, secret_access_key, session_token } = NodeCredentials.parse(JSON.parse(text));
  const s3 = new S3Client({
    region: config.storage.region,
    endpoint: String(config.storage.endpoint),
    credentials: {
      accessKeyId: access_key_id,
      secretAccessKey: secret_access_key,
      sessionToken: String(session_token),
    },
  });
  const [Bucket, own] = [config.storage.bucket, `${node.id}/x/y`];
  await s3.send(new PutObjectCommand({ Bucket, Key: own, Body: "x" }));
  const denied = [
    s3.send(new PutObjectCommand({ Bucket, Key: `${randomUUID()}/x`, Body: "x" })),
    s3.send(new GetObjectCommand({ Bucket, Key: `${node.id}x/y` })),
    s3.send(new DeleteObjectCommand({ Bucket, Key: own })),
    s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${node.id}/` })),
  ];
  for (const attempt of await Promise.allSettled(denied)) {
    expect(attempt).toMatchObject({ status: "rejected", reason: { name: "AccessDenied" } });
  }
  s3.destroy();
});
