// The part of make-every-call.ts that is about storages beside the stack's own bucket: each function that touches archives
// reads the key of their secrets, and takes on their roles.
import { randomUUID } from "node:crypto";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { verifyReport } from "#test/helpers/job-reports.ts";
import type { Master, TestNode } from "#test/helpers/master.ts";
import { startSecondStorage } from "#test/helpers/second-storage.ts";

/** A storage with keys, and one with a role: each function opens them anew when they have changed. */
export async function everyCallOfProviders(master: Master, node: TestNode): Promise<void> {
  const { admin } = master;
  await using elsewhere = await startSecondStorage();
  const role = "arn:aws:iam::000000000000:role/backupd-storage-archive";
  const place = { name: "role", region: "us-east-1", bucket: master.bucket };
  const keyed = await admin.call("createStorageProvider", { body: elsewhere.provider });
  const assumed = await admin.call("createStorageProvider", {
    body: { kind: "aws", ...place, role_arn: role },
  });
  let changes = 0;
  const afresh = async (): Promise<void> => {
    changes += 1;
    for (const { id } of [keyed, assumed]) {
      await admin.call("patchStorageProvider", { id, body: { name: `storage ${changes}` } });
    }
  };
  const { client: s3, provider } = elsewhere;
  const { object, sha256Index } = await indexedArchive(filesOf({ "database.sql": 1 }));
  const made = { body: object, archive: { sha256_index: sha256Index } };
  const sites = [
    { id: keyed.id, name: "keyed.example.com", at: { s3, bucket: provider.bucket } },
    { id: assumed.id, name: "assumed.example.com", at: master },
  ];
  const backups: { id: string; siteId: string }[] = [];
  await afresh();
  for (const { id: storage_provider_id, name, at } of sites) {
    const body = { node_id: node.id, name, path: `/var/www/${name}`, storage_provider_id };
    const { id: siteId } = await admin.call("createSite", { body });
    for (let count = 0; count < 3; count += 1) {
      backups.push({ siteId, ...(await finishBackup(master, node, siteId, { ...made, at })) });
    }
    await admin.call("putSiteRetention", { id: siteId, body: { keep_last: 1, min_keep: 1 } });
  }
  const onEach = async (
    call: (backup: { id: string; siteId: string }) => Promise<unknown>,
  ): Promise<void> => {
    await afresh();
    for (const at of [0, 3]) await call(backups[at] ?? { id: "", siteId: "" });
  };
  await onEach(() => node.client.call("getNodeConfig"));
  await onEach(({ id }) => admin.call("listBackupFiles", { id }));
  await onEach(({ id }) => node.client.call("getNodeBackup", { id }));
  await onEach(async ({ id, siteId }) => {
    const { job_id: jobId } = await admin.call("verifyBackup", { id, body: {} });
    const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const };
    const claim = await node.client.call("claimJob", { id: jobId, body });
    await node.client.call("reportJob", { id: jobId, body: verifyReport(claim, false) });
  });
  await onEach(({ id }) => admin.call("deleteBackup", { id }));
  await afresh();
  for (let hour = 0; hour < 24; hour += 1) {
    await master.invoke("retentionChore", { time: new Date(Date.UTC(2030, 0, 2, hour)).toISOString() });
  }
  for (const run of [
    () => admin.call("reconcileStorage", { body: {} }),
    () => master.invoke("reconcileChore", {}),
  ]) {
    await afresh();
    await run();
  }
  await afresh();
  for (const id of ["default", keyed.id, assumed.id]) await admin.call("testStorageProvider", { id });
  await admin.call("testNewStorageProvider", { body: provider });
  await admin.call("listStorageProviders");
  await admin.request("DELETE", `/storage/providers/${keyed.id}`);
  const unused = await admin.call("createStorageProvider", { body: provider });
  const { id: siteId } = await master.createSite(node.id, "undecided.example.com");
  for (const id of [unused.id, "default"]) {
    await admin.call("patchSite", { id: siteId, body: { storage_provider_id: id } });
  }
  await admin.call("deleteStorageProvider", { id: unused.id });
  for (const id of new Set([siteId, ...backups.map((backup) => backup.siteId)])) {
    await admin.call("deleteSite", { id });
  }
}
