// Archives whose report got lost: recorded from their own index when nobody can report them any more, and from nothing
// else that lies in the bucket.
import { randomUUID } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { SQSBatchResponse } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Backup } from "#shared/contracts/backups.ts";
import type { Claim } from "#shared/contracts/jobs.ts";
import { archiveFileName, objectKey } from "#shared/object-key.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { failureReport, successReport } from "#test/helpers/reports.ts";

const HOUR_MS = 3_600_000;
const FILES = { "wp-config.php": 100, "wp-content/a.jpg": 300, "database.sql": 5000 };

// Objects have the machine's time, so the Master's moves on from there.
let now = new Date();
let master: Master;
let node: TestNode;
let siteId: string;
beforeAll(async () => {
  master = await startMaster({ now: () => now });
  node = await master.enrolNode();
});
afterAll(() => master.close());
beforeEach(async () => {
  siteId = (await master.createSite(node.id, `site-${randomUUID()}`)).id;
});

const pass = (ms: number): void => {
  now = new Date(now.getTime() + ms);
};
const archiveOf = (owner = { node_id: node.id, site_id: siteId }) =>
  indexedArchive(filesOf(FILES), 100, owner);
const put = (key: string, body: Uint8Array | string) =>
  master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key: key, Body: body }));

async function claim(): Promise<Claim> {
  const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const, create: true };
  return node.client.call("claimJob", { id: randomUUID(), body });
}

/** Whether it has to be looked at again. */
async function look(key: string): Promise<boolean> {
  const body = JSON.stringify({ source: "aws.s3", detail: { object: { key } } });
  const { batchItemFailures } = (await master.invoke("stored", {
    Records: [{ messageId: "1", body }],
  })) as SQSBatchResponse;
  return batchItemFailures.length > 0;
}

const listed = async (): Promise<Backup[]> =>
  (await master.admin.call("listBackups", { query: { site_id: siteId } })).items;

async function loseReport(): Promise<{
  claimed: Claim;
  key: string;
  sha256Index: string;
  etag: string;
  size: number;
}> {
  const claimed = await claim();
  const { object, sha256Index } = await archiveOf();
  const key = objectKey(claimed.s3_path);
  const { ETag: etag = "" } = await put(key, object);
  return { claimed, key, sha256Index, etag, size: object.length };
}

test("an archive whose report got lost is recorded from its index, and browsed, and copied from", async () => {
  const { claimed, key, sha256Index, etag, size } = await loseReport();
  expect(await look(key)).toBe(true);
  pass(HOUR_MS);
  expect(await look(key)).toBe(false);
  expect(await look(key)).toBe(false);
  const [backup, ...others] = await listed();
  expect(others).toEqual([]);
  expect(backup).toMatchObject({
    origin: "index",
    job_id: claimed.job.id,
    s3_path: claimed.s3_path,
    size_bytes: size,
    archive: { etag, sha256_index: sha256Index, entries: 3, files: 2, files_bytes: 400, db_bytes: 5000 },
  });
  expect(await master.admin.call("getJob", { id: claimed.job.id })).toMatchObject({
    state: "succeeded",
    backup_id: backup?.id,
  });
  expect(await master.admin.call("getSite", { id: siteId })).toMatchObject({
    last_backup_id: backup?.id,
    active_job_id: null,
  });
  const { items } = await master.admin.call("listActivity");
  expect(items[0]).toMatchObject({ action: "backup.adopted", target: { id: backup?.id } });
  const files = await master.admin.call("listBackupFiles", { id: String(backup?.id) });
  expect(files.items.map(({ name }) => name)).toEqual(["database.sql", "wp-config.php", "wp-content"]);
  expect((await claim()).previous).toMatchObject({
    s3_path: claimed.s3_path,
    etag,
    sha256_index: sha256Index,
  });
});

test("the report that comes after all completes the record", async () => {
  const { claimed, key, sha256Index, etag, size } = await loseReport();
  pass(HOUR_MS);
  await look(key);
  const report = successReport(claimed, size, { etag, sha256_index: sha256Index, bytes_read: 4242 });
  const told = await node.client.call("reportBackup", { body: report });
  const [backup] = await listed();
  expect(backup).toMatchObject({ id: told.backup_id, origin: "report", archive: { bytes_read: 4242 } });
  expect(backup?.stages).toHaveLength(1);
  expect(await node.client.call("reportBackup", { body: report })).toEqual(told);
  expect(await listed()).toHaveLength(1);
});

test("a report at the same moment makes one backup", async () => {
  for (let round = 0; round < 5; round += 1) {
    const { claimed, key, sha256Index, etag, size } = await loseReport();
    pass(HOUR_MS);
    const report = successReport(claimed, size, { etag, sha256_index: sha256Index, bytes_read: 4242 });
    await Promise.all([look(key), node.client.call("reportBackup", { body: report })]);
    const [newest] = await listed();
    expect(newest).toMatchObject({
      s3_path: claimed.s3_path,
      origin: "report",
      archive: { bytes_read: 4242 },
    });
    expect(await listed()).toHaveLength(round + 1);
  }
});

test("while its job lives it is waited for, and a deleted backup does not come back", async () => {
  const { claimed, key, sha256Index, etag, size } = await loseReport();
  pass(HOUR_MS / 2);
  await node.client.call("patchJob", { id: claimed.job.id, body: { fencing: claimed.fencing } });
  expect(await look(key)).toBe(true);
  const report = successReport(claimed, size, { etag, sha256_index: sha256Index });
  const { backup_id: id } = await node.client.call("reportBackup", { body: report });
  await master.admin.call("deleteBackup", { id: String(id) });
  await put(key, (await archiveOf()).object);
  pass(HOUR_MS);
  expect(await look(key)).toBe(false);
  expect(await listed()).toEqual([]);
});

test("a runner's own word that it failed stays, and the archive is on record all the same", async () => {
  const { claimed, key } = await loseReport();
  await node.client.call("reportBackup", { body: failureReport(claimed) });
  pass(HOUR_MS);
  expect(await look(key)).toBe(false);
  expect(await listed()).toMatchObject([{ origin: "index", job_id: claimed.job.id }]);
  expect(await master.admin.call("getJob", { id: claimed.job.id })).toMatchObject({ state: "failed" });
});

test("what does not fit its place is not believed, and changes nothing", async () => {
  const good = (await archiveOf()).object;
  const other = randomUUID();
  const at = (hours: number) => archiveFileName("shop.example.com", new Date(Date.now() + hours * HOUR_MS));
  const tampered = Buffer.from(good);
  const place = tampered.length - 200;
  tampered.writeUInt8(tampered.readUInt8(place) ^ 1, place);
  const wrong: [string, Uint8Array | string][] = [
    [`${node.id}/${siteId}/${at(-1)}`, "no archive at all"],
    [`${node.id}/${siteId}/${at(-2)}`, tampered],
    [`${node.id}/${siteId}/${at(-3)}`, (await archiveOf({ node_id: other, site_id: siteId })).object],
    [`${node.id}/${siteId}/${at(-4)}`, (await archiveOf({ node_id: node.id, site_id: other })).object],
    [`${node.id}/${siteId}/${at(24)}`, good],
    [`${node.id}/${other}/${at(-1)}`, good],
    [`${other}/${siteId}/${at(-1)}`, good],
    [`${node.id}/${siteId}/a.tar.zst`, good],
    ["elsewhere.tar.zst", good],
  ];
  for (const [key, body] of wrong) await put(key, body);
  pass(HOUR_MS);
  const before = await master.dumpTable();
  for (const [key] of wrong) expect([key, await look(key)]).toEqual([key, false]);
  expect(await look(`${node.id}/${siteId}/${at(-99)}`)).toBe(false);
  expect(await master.dumpTable()).toEqual(before);
});

test("a name that the Master cannot have made is not shown as the site's", async () => {
  await put(`${node.id}/${siteId}/a..b_20250101_000000.tar.zst`, (await archiveOf()).object);
  pass(HOUR_MS);
  await look(`${node.id}/${siteId}/a..b_20250101_000000.tar.zst`);
  const [backup] = await listed();
  expect(backup?.site_name).toMatch(/^site-/);
  expect(backup?.created_at).toBe("2025-01-01T00:00:00.000Z");
});

test("the bucket's own events come to the function", async () => {
  await using another = await startMaster({
    now: () => new Date(Date.now() + HOUR_MS),
    storedDelaySeconds: 0,
  });
  const itsNode = await another.enrolNode();
  const site = await another.createSite(itsNode.id);
  const { object } = await indexedArchive(filesOf(FILES), 100, { node_id: itsNode.id, site_id: site.id });
  const Key = `${itsNode.id}/${site.id}/${archiveFileName(site.name, new Date())}`;
  await another.s3.send(new PutObjectCommand({ Bucket: another.bucket, Key, Body: object }));
  await expect
    .poll(async () => (await another.admin.call("listBackups")).items, { timeout: 15_000 })
    .toMatchObject([{ origin: "index" }]);
});
