// The table is lost: everything comes back from the bucket, with a manifest as it was, without one as far as archives tell.
import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Site } from "#shared/contracts/sites.ts";
import { emptyTable } from "#test/helpers/empty-table.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { enrol, type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { rebuild } from "#test/helpers/rebuild.ts";

const HOUR_MS = 3_600_000;
const SCHEDULE = { expression: "rate(1 day)", time_zone: "UTC", flexible_minutes: 15, enabled: true };

// Behind the machine's, which objects have: no name may be of a time after its object was stored.
let now = new Date(Date.now() - 20 * 24 * HOUR_MS);
let master: Master;
let nodes: TestNode[];
let sites: Site[];
let removed: Site;
beforeAll(async () => {
  master = await startMaster({ now: () => now });
  nodes = [await master.enrolNode("web1"), await master.enrolNode("web2")];
  const [first, second] = nodes.map(({ id }) => id);
  const { admin } = master;
  const made = [
    await master.createSite(String(first), "one.example.com"),
    await master.createSite(String(first), "two.example.com"),
    await master.createSite(String(second), "three.example.com"),
  ];
  removed = await master.createSite(String(second), "removed.example.com");
  await admin.call("putSiteSchedule", { id: made[0]?.id ?? "", body: SCHEDULE });
  await admin.call("putSiteProof", { id: made[0]?.id ?? "", body: SCHEDULE });
  await admin.call("putSiteRetention", { id: made[1]?.id ?? "", body: { keep_last: 5 } });
  await admin.call("putSiteQuota", { id: made[1]?.id ?? "", body: { quota_bytes: 1_000_000 } });
  await admin.call("putNodeQuota", { id: String(first), body: { quota_bytes: 9_000_000 } });
  await admin.call("patchSite", { id: made[2]?.id ?? "", body: { exclude: ["cache/**"] } });
  sites = made;
  for (const site of [...made, made[0], removed]) if (site !== undefined) await backUp(site);
  await admin.call("deleteSite", { id: removed.id });
  await admin.call("patchSite", { id: made[2]?.id ?? "", body: { state: "paused" } });
});
afterAll(() => master.close());

async function backUp(site: Site): Promise<string> {
  now = new Date(now.getTime() + HOUR_MS);
  const node = nodes.find(({ id }) => id === site.node_id);
  if (node === undefined) throw new Error("no such node");
  const owner = { node_id: site.node_id, site_id: site.id };
  const { object, sha256Index } = await indexedArchive(
    filesOf({ "a.txt": 3, "database.sql": 5 }),
    100,
    owner,
  );
  return (await finishBackup(master, node, site.id, { body: object, archive: { sha256_index: sha256Index } }))
    .id;
}

/** What an operator sees, without ids of backups and jobs. */
async function look() {
  const { admin } = master;
  const byId = <T extends { id: string }>(items: T[]): T[] => items.sort((a, b) => (a.id < b.id ? -1 : 1));
  const seenNodes = byId((await admin.call("listNodes")).items).map(({ version: _v, ...node }) => node);
  const seenSites = byId((await admin.call("listSites")).items).map((site) => {
    const { last_backup_id: _id, last_job: _job, recent_days: _days, ...rest } = site;
    return rest;
  });
  const backups = (await admin.call("listBackups")).items.map((backup) => {
    const { s3_path, size_bytes, created_at, hold, archive, site_name, node_id, site_id } = backup;
    const { etag, sha256_index, db_bytes } = archive;
    return {
      s3_path,
      size_bytes,
      created_at,
      hold,
      etag,
      sha256_index,
      db_bytes: db_bytes > 0,
      site_name,
      node_id,
      site_id,
    };
  });
  return { nodes: seenNodes, sites: seenSites, backups };
}

async function claimNext(site: Site, node: TestNode): Promise<string | undefined> {
  const body = { site_id: site.id, runner_id: randomUUID(), trigger: "manual" as const, create: true };
  const claim = await node.client.call("claimJob", { id: randomUUID(), body });
  await master.admin.call("cancelJob", { id: claim.job.id });
  return claim.previous?.s3_path;
}

test("the inventory samples each day, and the summary adds up", async () => {
  await master.invoke("inventoryChore", {});
  const first = now.toISOString().slice(0, 10);
  now = new Date(now.getTime() + 24 * HOUR_MS);
  await backUp(sites[1] as Site);
  await master.invoke("inventoryChore", {});
  const summary = await master.admin.call("getStorageSummary", { query: { top: 2 } });
  const { items } = await master.admin.call("listBackups");
  const bytes = items.reduce((sum, { size_bytes: size }) => sum + size, 0);
  expect(summary.total).toEqual({ bytes, backups: 6 });
  expect(summary.sites).toHaveLength(2);
  expect(summary.nodes.map(({ name }) => name)).toEqual(["web1", "web2"]);
  expect(summary.days).toMatchObject([
    { date: first, backups: 5 },
    { date: now.toISOString().slice(0, 10), backups: 6, bytes },
  ]);
});

test("with a manifest all is as it was: nodes go on, backups are there, the next one copies from the last", async () => {
  const [held] = (await master.admin.call("listBackups")).items;
  await master.admin.call("putBackupHold", { id: String(held?.id), body: { held: true, reason: "court" } });
  await master.invoke("inventoryChore", {});
  const before = await look();
  expect(before.backups).toHaveLength(6);
  expect(await emptyTable(process.env)).toBeGreaterThan(20);
  expect((await look()).backups).toEqual([]);

  // Neither chore makes it worse: the manifest stays, and so do schedules and queues.
  await expect(master.invoke("inventoryChore", {})).rejects.toThrow("the table is not what it was");
  const { counts } = await master.admin.call("checkDrift", { body: { dry_run: false } });
  expect(counts).toEqual({ schedule_unknown: 2, queue_unknown: 2 });

  const report = await rebuild(() => now);
  expect(report).toMatchObject({ nodes: 2, sites: 4, backups: 6, unknown_sites: [], refused: [] });
  expect(await look()).toEqual(before);
  expect(await rebuild(() => now)).toMatchObject({ nodes: 0, sites: 0, backups: 0, refused: [] });
  expect(await look()).toEqual(before);
  expect((await master.admin.call("checkDrift", { body: {} })).counts).toEqual({});

  const [one, node] = [sites[0] as Site, nodes[0] as TestNode];
  expect((await node.client.call("getNodeConfig")).sites).toHaveLength(2);
  const newest = before.backups.find(({ site_id }) => site_id === one.id);
  expect(await claimNext(one, node)).toBe(newest?.s3_path);
  await backUp(one);
  const taken = master.createSite(one.node_id, "one.example.com", "/elsewhere");
  await expect(taken).rejects.toMatchObject({ code: "conflict" });
  await expect(master.admin.call("deleteNode", { id: one.node_id })).rejects.toMatchObject({
    code: "conflict",
  });
});

test("without one the archives tell which nodes and sites there are, and a node is enrolled anew under its id", async () => {
  const { Contents = [] } = await master.s3.send(
    new ListObjectsV2Command({ Bucket: master.bucket, Prefix: "_backupd/" }),
  );
  for (const { Key } of Contents)
    await master.s3.send(new DeleteObjectCommand({ Bucket: master.bucket, Key }));
  const before = await look();
  await emptyTable(process.env);
  const report = await rebuild(() => now);
  expect(report).toMatchObject({ manifest: null, backups: 7, refused: [] });
  expect(report.unknown_nodes.sort()).toEqual(nodes.map(({ id }) => id).sort());
  expect(report.unknown_sites).toHaveLength(4);
  const after = await look();
  const known = ({ hold: _hold, ...backup }: (typeof before.backups)[number]) => backup;
  expect(after.backups.map(known)).toEqual(before.backups.map(known));
  expect(after.sites.map(({ name, state }) => [name, state])).toEqual(
    expect.arrayContaining([["one.example.com", "paused"]]),
  );
  expect(after.nodes.every(({ state }) => state === "disabled")).toBe(true);

  const [one, old] = [sites[0] as Site, nodes[0] as TestNode];
  await expect(old.client.call("getNodeConfig")).rejects.toMatchObject({ code: "token_invalid" });
  const { token } = await master.admin.call("createEnrollmentToken", { body: { node_id: old.id } });
  const anew = await enrol(master.url, token, "web1", master.audience, () => now);
  expect(anew.id).toBe(old.id);
  await master.admin.call("patchSite", { id: one.id, body: { path: one.path, state: "active" } });
  expect((await anew.client.call("getNodeConfig")).sites.find(({ id }) => id === one.id)).toMatchObject({
    path: one.path,
  });
  const newest = after.backups.find(({ site_id }) => site_id === one.id);
  expect(await claimNext(one, anew)).toBe(newest?.s3_path);
});

test("new keys end the old ones, and a token for a node is for no other", async () => {
  const node = await master.enrolNode("web3");
  const { token, node_id } = await master.admin.call("createEnrollmentToken", { body: { node_id: node.id } });
  expect(node_id).toBe(node.id);
  const anew = await enrol(master.url, token, "other", master.audience, () => now);
  expect(anew.id).toBe(node.id);
  await expect(node.client.call("getNodeConfig")).rejects.toMatchObject({ code: "token_invalid" });
  expect(await anew.client.call("getNodeConfig")).toMatchObject({ node_id: node.id });
  expect((await master.admin.call("getNode", { id: node.id })).name).toBe("web3");
  await expect(enrol(master.url, token, "again", master.audience, () => now)).rejects.toMatchObject({
    code: "enrollment_token_invalid",
  });
  const nobody = master.admin.call("createEnrollmentToken", { body: { node_id: randomUUID() } });
  await expect(nobody).rejects.toMatchObject({ code: "not_found" });
});
