// Has the Master make every call to AWS that it can make: each row of functions/core/grants.ts is held against what
// this needs, so a new grant needs a line here.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Claim } from "#shared/contracts/jobs.ts";
import { objectKey } from "#shared/object-key.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive, readableArchive } from "#test/helpers/indexed-archive.ts";
import { verified, verifyReport } from "#test/helpers/job-reports.ts";
import type { Master, TestNode } from "#test/helpers/master.ts";
import { failureReport, successReport } from "#test/helpers/reports.ts";
import { everyCallOfAlertTargets } from "./every-call-of-alert-targets.ts";
import { everyCallOfProviders } from "./every-call-of-providers.ts";
import { everyCallOfStorage } from "./every-call-of-storage.ts";

const SCHEDULE = { expression: "rate(1 day)", time_zone: "UTC", flexible_minutes: 15, enabled: true };

/** `passHours` moves the Master's clock. */
export async function makeEveryCall(master: Master, passHours: (hours: number) => void): Promise<void> {
  const { admin } = master;
  const node = await master.enrolNode();
  await everyCallOfIdentities(master, node);
  const site = await master.createSite(node.id);
  await everyCallOfSites(master, node, site.id);
  await everyCallOfJobs(master, node, site.id);
  await everyCallOfRestores(master, node, site.id);
  await everyCallOfKeeping(master, node, site.id);
  await buryAJob(master, site.id);
  await everyCallOfTenants(master, node, site.id, passHours);
  await admin.call("startBackup", { id: site.id, body: {} });
  await admin.call("deleteSite", { id: site.id });
  await admin.call("listActivity");
  await everyCallOfWatch(master, node, passHours);
  await everyCallOfStorage(master, node, passHours);
  // The last one: its storage ends with it, and what compares storages would say so.
  await everyCallOfProviders(master, node);
  await admin.call("deleteNode", { id: node.id });
}

async function everyCallOfRestores(master: Master, node: TestNode, siteId: string): Promise<void> {
  const { admin } = master;
  const { client } = node;
  await admin.call("stopBackup", { id: siteId });
  const backup = await finishBackup(master, node, siteId);
  const { job_id: id } = await admin.call("verifyBackup", { id: backup.id, body: {} });
  const body = {
    site_id: siteId,
    runner_id: randomUUID(),
    trigger: "manual" as const,
    type: "verify" as const,
  };
  const claim = await client.call("claimJob", { id, body });
  await client.call("getNodeBackup", { id: backup.id });
  const stranger = await master.enrolNode();
  await stranger.client.request("GET", `/nodes/backups/${backup.id}?job_id=${id}`);
  await client.call("listNodeBackups");
  await client.call("listNodeBackups", { query: { site_id: siteId } });
  await client.call("reportJob", { id, body: verifyReport(claim, false) });
  await client.call("reportVerification", {
    id: backup.id,
    body: { status: "good", verify: verified(true) },
  });
  const restore = await admin.call("restoreBackup", { id: backup.id, body: {} });
  await admin.call("cancelJob", { id: restore.job_id });
  const undo = await admin.call("undoRestore", { id: siteId, body: {} });
  await admin.call("cancelJob", { id: undo.job_id });
  await admin.request("GET", `/backups/${backup.id}/files`);
  await admin.call("putBackupHold", { id: backup.id, body: { held: true } });
  await admin.call("putBackupHold", { id: backup.id, body: { held: false } });
  await admin.call("deleteBackup", { id: backup.id });
}

/** A site goes to a tenant, with all it has, and its tenant looks at everything; then it comes back. */
async function everyCallOfTenants(
  master: Master,
  node: TestNode,
  siteId: string,
  passHours: (hours: number) => void,
): Promise<void> {
  const { admin } = master;
  const failing = await failingSite(master, node);
  await master.invoke("watchChore", {});
  const source = await finishBackup(master, node, siteId);
  const { job_id: jobId } = await admin.call("restoreBackup", { id: source.id, body: { site_id: failing } });
  await admin.call("cancelJob", { id: jobId });
  await admin.call("patchSite", { id: failing, body: { tenant: "acme" } });
  for (const tenant of ["acme", null]) await admin.call("patchSite", { id: siteId, body: { tenant } });
  await admin.request("PATCH", `/nodes/${node.id}`, { body: { tenant: "acme" } });
  const theirs = await master.operator("admin", "acme");
  const lists = ["/sites", "/nodes", "/jobs", "/backups", "/activity", "/api-tokens", "/enrollment-tokens"];
  for (const path of [...lists, "/fleet/summary", "/alerts"]) await theirs.request("GET", path);
  await admin.call("stopBackup", { id: siteId }).catch(() => undefined);
  passHours(1);
  await master.invoke("watchChore", {});
  await admin.call("deleteSite", { id: failing });
}

async function failingSite(master: Master, node: TestNode): Promise<string> {
  const { id } = await master.createSite(node.id, "failing.example.com");
  await finishBackup(master, node, id);
  const { job_id: job } = await master.admin.call("startBackup", { id, body: {} });
  const body = { site_id: id, runner_id: randomUUID(), trigger: "manual" as const };
  const claim = await node.client.call("claimJob", { id: job, body });
  await node.client.call("reportBackup", { body: failureReport(claim) });
  return id;
}

/** A site that is in trouble, and then is not. */
async function everyCallOfWatch(
  master: Master,
  node: TestNode,
  passHours: (hours: number) => void,
): Promise<void> {
  const { admin } = master;
  const { id } = await master.createSite(node.id, "watched.example.com");
  const { job_id: job } = await admin.call("startBackup", { id, body: {} });
  const body = { site_id: id, runner_id: randomUUID(), trigger: "manual" as const };
  const claim = await node.client.call("claimJob", { id: job, body });
  await node.client.call("reportBackup", { body: failureReport(claim) });
  await master.invoke("watchChore", {});
  await admin.call("startBackup", { id, body: {} });
  await master.invoke("watchChore", {});
  await admin.call("deleteSite", { id });
  await master.invoke("watchChore", {});
  await admin.call("listAlerts");
  await admin.call("testAlerts");
  await everyCallOfAlertTargets(master);
  passHours(2);
  await master.invoke("watchChore", {});
}

async function everyCallOfKeeping(master: Master, node: TestNode, siteId: string): Promise<void> {
  const { admin } = master;
  const { object, sha256Index } = await indexedArchive(filesOf({ "database.sql": 1 }));
  const archive = { sha256_index: sha256Index };
  const backUp = () => finishBackup(master, node, siteId, { body: object, archive });
  const { id } = await backUp();
  await admin.call("listBackupFiles", { id });
  await downloadAFile(master, node, siteId);
  for (const held of [true, false]) await admin.call("putBackupHold", { id, body: { held } });
  const { job_id: jobId } = await admin.call("verifyBackup", { id, body: {} });
  await admin.request("DELETE", `/backups/${id}`);
  await admin.call("cancelJob", { id: jobId });
  await admin.call("deleteBackup", { id });
  for (let count = 0; count < 3; count += 1) await backUp();
  await admin.call("putSiteRetention", { id: siteId, body: { keep_last: 1, min_keep: 1 } });
  await admin.call("previewSiteRetention", { id: siteId });
  for (let hour = 0; hour < 24; hour += 1) {
    await master.invoke("retentionChore", { time: new Date(Date.UTC(2030, 0, 1, hour)).toISOString() });
  }
  await admin.call("putSiteProof", { id: siteId, body: SCHEDULE });
}

async function downloadAFile(master: Master, node: TestNode, siteId: string): Promise<void> {
  const contents = { "database.sql": Buffer.from("x") };
  const { object, sha256Index } = await readableArchive(filesOf({ "database.sql": 1 }), contents, 4096);
  const archive = { sha256_index: sha256Index };
  const { id } = await finishBackup(master, node, siteId, { body: object, archive });
  await master.admin.call("getBackupFile", { id, query: { path: "database.sql" } });
}

async function buryAJob(master: Master, siteId: string): Promise<void> {
  const scheduled_time = new Date().toISOString();
  const message = { v: 1, type: "backup", trigger: "schedule", site_id: siteId, scheduled_time };
  const body = JSON.stringify({ ...message, execution_id: "1" });
  await master.invoke("deadLetter", { Records: [{ messageId: "1", body }] });
}

async function everyCallOfIdentities({ admin, anonymous, ...master }: Master, node: TestNode): Promise<void> {
  await admin.call("getHealth");
  await admin.call("getMe");
  await admin.call("getFleetSummary");
  await anonymous.call("getOpenapi");
  await anonymous.request("GET", "/nowhere");
  const open = await admin.call("createEnrollmentToken", { body: {} });
  await admin.call("listEnrollmentTokens");
  await admin.call("deleteEnrollmentToken", { id: open.id });
  await admin.request("DELETE", `/enrollment-tokens/${open.id}`);
  const token = await admin.call("createApiToken", { body: { label: "one", role: "viewer" } });
  await master.withToken(token.token).call("listNodes");
  await admin.call("listApiTokens");
  await admin.call("deleteApiToken", { id: token.id });
  await admin.request("DELETE", `/api-tokens/${token.id}`);
  await enrolTwiceWithOneToken(admin, anonymous);
  await node.client.call("getNodeConfig");
  await node.client.call("heartbeatNode", { body: beat });
  await admin.call("patchNode", { id: node.id, body: { name: "web2.example.com" } });
  await admin.call("putNodeQuota", { id: node.id, body: { quota_bytes: 1_000_000 } });
}

const beat = {
  version: "test",
  platform: "linux-x64",
  disk_free_bytes: 1,
  disk_total_bytes: 2,
  running_job_id: null,
  outbox_length: 0,
  discovered_sites: [],
};

/** Two at once: one of them is refused when its queue is made already, and takes it away again. */
async function enrolTwiceWithOneToken(admin: Master["admin"], anonymous: Master["anonymous"]): Promise<void> {
  const { token } = await admin.call("createEnrollmentToken", { body: {} });
  const { recipient, signingKeys } = await someKeys();
  await Promise.all(
    signingKeys.map((key) =>
      anonymous.request("POST", "/nodes/enroll", {
        body: { token, name: "twin", signing_key: key, age_recipient: recipient, version: "test" },
      }),
    ),
  );
}

async function someKeys(): Promise<{ recipient: string; signingKeys: string[] }> {
  const signingKeys = [1, 2].map(() =>
    String(generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x),
  );
  return { recipient: await identityToRecipient(await generateX25519Identity()), signingKeys };
}

async function everyCallOfSites({ admin }: Master, node: TestNode, siteId: string): Promise<void> {
  await admin.call("putSiteSchedule", { id: siteId, body: SCHEDULE });
  await admin.call("putSiteSchedule", { id: siteId, body: { ...SCHEDULE, enabled: false } });
  await admin.call("patchSite", { id: siteId, body: { name: "blog.example.com" } });
  await admin.call("listSites");
  await admin.call("listSites", { query: { node_id: node.id } });
  await admin.call("putSiteQuota", { id: siteId, body: { quota_bytes: 1_000 } });
  await admin.call("getSiteQuotaStatus", { id: siteId });
  await node.client.call("checkSiteQuota", { id: siteId });
}

async function everyCallOfJobs(master: Master, node: TestNode, siteId: string): Promise<void> {
  const { admin } = master;
  const claim = async (): Promise<Claim> => {
    const { job_id: id } = await admin.call("startBackup", { id: siteId, body: {} });
    const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const };
    return node.client.call("claimJob", { id, body });
  };
  const failed = await claim();
  await node.client.call("reportBackup", { body: failureReport(failed) });
  const claimed = await claim();
  await node.client.call("patchJob", { id: claimed.job.id, body: { fencing: claimed.fencing } });
  const Key = objectKey(claimed.s3_path);
  await master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key, Body: "1234567" }));
  const done = await node.client.call("reportBackup", { body: successReport(claimed, 7) });
  // The path of the failed claim was never recorded: a late success of it leaves an archive to remove.
  const late = { ...successReport(claimed, 7), fencing: 99, s3_path: failed.s3_path };
  await node.client.request("POST", "/backups", { body: late });
  await admin.call("listBackups");
  await admin.call("listBackups", { query: { site_id: siteId } });
  await admin.call("getBackup", { id: String(done.backup_id) });
  await admin.call("downloadBackup", { id: String(done.backup_id) });
  await admin.call("getBackupStatus", { id: siteId });
  await admin.call("listJobs");
  await admin.call("listJobs", { query: { site_id: siteId } });
  await admin.call("startBackup", { id: siteId, body: {} });
}
