// Records compared with storages beside the Master's own bucket, over the wire: each finding says where, what cannot be
// looked at is not missing, and only what the Master has given a name is recorded there.
import { randomUUID } from "node:crypto";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openBase } from "#functions/deps.ts";
import { reconcileStorage } from "#functions/http/reconcile-storage.ts";
import { handler as chore } from "#functions/reconcile-chore.ts";
import type { ObjectList } from "#functions/stores/object-list.ts";
import { openRecords } from "#functions/stores/records.ts";
import { openStorages } from "#functions/stores/storages.ts";
import type { S3Fault } from "#local/s3/faults.ts";
import type { StorageProvider } from "#shared/contracts/storage.ts";
import type { StorageReport } from "#shared/contracts/upkeep.ts";
import { BackupError } from "#shared/errors.ts";
import { archiveFileName, objectKey } from "#shared/object-key.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { type SecondStorage, startSecondStorage } from "#test/helpers/second-storage.ts";
import { hostConfig } from "#test/helpers/stores.ts";

const HOUR_MS = 3_600_000;
let now = new Date();
let master: Master;
let node: TestNode;
let storage: SecondStorage;
let provider: StorageProvider;
let buckets = 0;
beforeAll(async () => {
  master = await startMaster({ now: () => now });
  node = await master.enrolNode();
  storage = await startSecondStorage();
});
afterAll(async () => {
  await storage?.[Symbol.asyncDispose]();
  await master?.close();
});
beforeEach(async () => {
  storage.wire.fault = () => undefined;
  buckets += 1;
  provider = await newProvider(`bucket-${buckets}`);
});

async function newProvider(bucket: string): Promise<StorageProvider> {
  await storage.client.send(new CreateBucketCommand({ Bucket: bucket }));
  return master.admin.call("createStorageProvider", { body: { ...storage.provider, name: bucket, bucket } });
}
async function newSite(storage_provider_id = provider.id): Promise<string> {
  const name = `site-${randomUUID()}`;
  const body = { node_id: node.id, name, path: `/var/www/${name}`, storage_provider_id };
  return (await master.admin.call("createSite", { body })).id;
}
const backUp = (siteId: string, at: StorageProvider = provider) => {
  now = new Date(now.getTime() + HOUR_MS);
  return finishBackup(master, node, siteId, { at: { s3: storage.client, bucket: at.bucket } });
};
const put = (key: string, body: Uint8Array | string, Bucket = provider.bucket) =>
  storage.client.send(new PutObjectCommand({ Bucket, Key: key, Body: body }));
const remove = (path: string, Bucket = provider.bucket) =>
  storage.client.send(new DeleteObjectCommand({ Bucket, Key: objectKey(path) }));
const run = (leftMs = 900_000): Promise<StorageReport> =>
  chore({}, { getRemainingTimeInMillis: () => leftMs } as Context);
const dryRun = () => master.admin.call("reconcileStorage", { body: {} });
const lineOf = (report: StorageReport, { id } = provider) =>
  report.storages.find(({ provider_id }) => provider_id === id);
const byText = (one: readonly string[], other: readonly string[]): number =>
  one.join(" ") < other.join(" ") ? -1 : 1;
const foundAt = (report: StorageReport, { id }: Pick<StorageProvider, "id"> = provider) =>
  report.findings
    .filter(({ provider_id }) => provider_id === id)
    .map(({ kind, key }) => [kind, key])
    .sort(byText);

const refusal = (status: number, code: string): S3Fault => ({ status, code });

/** A backup whose report got lost, and its bytes. */
async function loseReport(siteId: string): Promise<{ key: string; body: Uint8Array }> {
  const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const, create: true };
  const claim = await node.client.call("claimJob", { id: randomUUID(), body });
  const { object } = await indexedArchive(filesOf({ "database.sql": 5 }), 100, {
    node_id: node.id,
    site_id: siteId,
  });
  return { key: objectKey(claim.s3_path), body: object };
}

test("what is missing in a storage is found there, told, and right again when it is back; a dry run changes nothing", async () => {
  const siteId = await newSite();
  const [gone, changed, kept] = [await backUp(siteId), await backUp(siteId), await backUp(siteId)];
  expect(foundAt(await dryRun())).toEqual([]);
  await remove(gone.s3Path);
  await put(objectKey(changed.s3Path), "another");
  const expected = [
    ["changed", objectKey(changed.s3Path)],
    ["missing", objectKey(gone.s3Path)],
  ];
  const before = await master.dumpTable();
  const suspected = await dryRun();
  expect(foundAt(suspected)).toEqual(expected);
  expect((await master.dumpTable()).filter((item) => !before.includes(item))).toHaveLength(1);
  expect(lineOf(suspected)).toEqual({
    ...{ provider_id: provider.id, name: provider.name, sites: 1, backups: 3, objects: 2 },
    ...{ objects_bytes: 14, error: null },
  });
  expect(suspected.storages[0]).toMatchObject({ provider_id: "default", error: null });

  const report = await run();
  expect(foundAt(report)).toEqual(expected);
  for (const what of ["sites", "backups", "objects"] as const) {
    expect(report[what]).toBe(report.storages.reduce((sum, line) => sum + line[what], 0));
  }
  expect((await master.admin.call("getBackup", { id: gone.id })).verification_failed).toMatchObject({
    job_id: null,
  });
  expect((await master.admin.call("getBackup", { id: kept.id })).verification_failed).toBeNull();
  await master.invoke("watchChore", {});
  expect((await master.admin.call("listAlerts")).items).toContainEqual(
    expect.objectContaining({ kind: "backups_missing", target: { kind: "site", id: siteId } }),
  );

  for (const { s3Path } of [gone, changed]) await put(objectKey(s3Path), "1234567");
  expect(foundAt(await run()).map(([kind]) => kind)).toEqual(["returned", "returned"]);
  expect((await master.admin.call("getBackup", { id: gone.id })).verification_failed).toBeNull();
});

test("a backup whose report got lost is recorded with its storage, and restored from there; a forged name is not", async () => {
  const siteId = await newSite();
  const lost = await loseReport(siteId);
  const stranger = await newSite("default");
  const name = archiveFileName("shop.example.com", new Date("2025-01-01T00:00:00.000Z"));
  const forged = `${node.id}/${siteId}/${name}`;
  const misplaced = `${node.id}/${stranger}/${name}`;
  for (const key of [lost.key, forged, misplaced]) await put(key, lost.body);
  expect(foundAt(await dryRun())).toContainEqual(["waiting", lost.key]);
  now = new Date(now.getTime() + 48 * HOUR_MS);
  const expected = (kind: string) =>
    [
      [kind, lost.key],
      ["refused", forged],
      ["unknown", misplaced],
    ].sort(byText);
  expect(foundAt(await dryRun())).toEqual(expected("adoptable"));
  expect(foundAt(await run())).toEqual(expected("adopted"));
  const { items } = await master.admin.call("listBackups", { query: { site_id: siteId } });
  expect(items).toMatchObject([{ origin: "index", provider_id: provider.id, s3_path: `/${lost.key}` }]);
  const { items: files } = await master.admin.call("listBackupFiles", { id: String(items[0]?.id) });
  expect(files.map(({ path }) => path)).toEqual(["database.sql"]);
  expect(foundAt(await run())).toEqual(
    [
      ["refused", forged],
      ["unknown", misplaced],
    ].sort(byText),
  );
});

test("after a move each backup is looked for where it lies, and a bucket under two names is one bucket", async () => {
  const siteId = await newSite();
  const old = await backUp(siteId);
  const twin = await master.admin.call("createStorageProvider", {
    body: { ...storage.provider, name: "twin", bucket: provider.bucket },
  });
  await master.admin.call("patchSite", { id: siteId, body: { storage_provider_id: twin.id } });
  const moved = await backUp(siteId, twin);
  const report = await run();
  expect(foundAt(report)).toEqual([]);
  expect(foundAt(report, twin)).toEqual([]);
  expect([lineOf(report)?.backups, lineOf(report, twin)?.backups]).toEqual([1, 1]);
  await remove(old.s3Path);
  const after = await run();
  expect(foundAt(after)).toEqual([["missing", objectKey(old.s3Path)]]);
  expect(foundAt(after, twin)).toEqual([]);
  expect(moved.id).not.toBe(old.id);
});

test.each([
  ["cannot be reached", "storage_unreachable", (): S3Fault => "reset", /The storage bucket-\d+: /],
  [
    "may not be listed",
    "storage_denied",
    (): S3Fault => refusal(403, "AccessDenied"),
    /\(HTTP 403 AccessDenied\)/,
  ],
  [
    "has no such bucket",
    "storage_failed",
    (): S3Fault => refusal(404, "NoSuchBucket"),
    /There is no such bucket/,
  ],
])(
  "a storage that %s says so by itself: nothing counts as missing, and the others are compared",
  async (_what, code, fault, said) => {
    const broken = provider;
    const other = await newProvider(`bucket-${buckets}-other`);
    const [site, otherSite] = [await newSite(broken.id), await newSite(other.id)];
    const backup = await backUp(site, broken);
    const gone = await backUp(otherSite, other);
    await remove(gone.s3Path, other.bucket);
    await remove(backup.s3Path, broken.bucket);
    storage.wire.fault = ({ operation, bucket }) =>
      operation === "ListObjectsV2" && bucket === broken.bucket ? fault() : undefined;
    // As docs/SECURITY.md advises for nodes' keys: nothing to alarm people for, day by day.
    if (code === "storage_denied") await run();
    else await expect(run()).rejects.toThrow(said);
    const { storage: report } = await master.admin.call("getUpkeep");
    if (report === null) throw new Error("no report");
    expect(lineOf(report, broken)).toMatchObject({
      ...{ name: broken.name, sites: 0, backups: 0, objects: 0 },
      error: { code, message: expect.stringMatching(said) },
    });
    expect(foundAt(report, broken)).toEqual([]);
    expect(foundAt(report, other)).toEqual([["missing", objectKey(gone.s3Path)]]);
    expect((await master.admin.call("getBackup", { id: backup.id })).verification_failed).toBeNull();
    const { storages } = await dryRun();
    expect(storages.find(({ provider_id }) => provider_id === broken.id)?.error?.message).toMatch(said);
  },
);

test("where a list breaks off, what was listed is compared, and what was not is not missing", async () => {
  const sites = [await newSite(), await newSite(), await newSite()].sort();
  const gone: string[] = [];
  for (const siteId of sites) {
    const [lost] = [await backUp(siteId), await backUp(siteId)];
    await remove(lost.s3Path);
    gone.push(objectKey(lost.s3Path));
  }
  const config = hostConfig();
  const storages = openStorages(config);
  const breaking = async (id: string | undefined): Promise<ObjectList> => {
    const list = await storages.listAt(id);
    return {
      ...list,
      async *objectsAfter(after, prefix) {
        let left = id === provider.id ? 2 : Number.POSITIVE_INFINITY;
        for await (const object of list.objectsAfter(after, prefix)) {
          yield object;
          left -= 1;
          if (left === 0) throw new BackupError("storage_denied", { detail: "No more pages." });
        }
      },
    };
  };
  const report = await reconcileStorage(
    { isDryRun: true, hasTime: () => true },
    {
      ...{ ...openBase(config), now: () => now, correlationId: "test", meter: { add: () => undefined } },
      ...{ records: openRecords(config), storages: { ...storages, listAt: breaking } },
    },
  );
  // The second one's list may have had more to come.
  expect(lineOf(report)).toMatchObject({
    sites: 1,
    backups: 2,
    objects: 1,
    error: { message: "No more pages." },
  });
  expect(foundAt(report)).toEqual([["missing", gone[0]]]);
});

test("only what lies below the sites' nodes is looked at: the rest of the bucket is somebody else's", async () => {
  const siteId = await newSite();
  const gone = await backUp(siteId);
  await remove(gone.s3Path);
  await put("holiday/photo.jpg", "x");
  const report = await dryRun();
  expect(lineOf(report)).toMatchObject({ sites: 1, objects: 0, error: null });
  expect(foundAt(report)).toEqual([["missing", objectKey(gone.s3Path)]]);
});

test("runs without time go on from storage to storage, and come to every one", async () => {
  const sites: [string, StorageProvider][] = [];
  const other = await newProvider(`bucket-${buckets}-long`);
  for (const at of [provider, other]) {
    for (let count = 0; count < 9; count += 1) sites.push([await newSite(at.id), at]);
  }
  const lost = [];
  for (const [siteId, at] of sites) lost.push({ at, ...(await backUp(siteId, at)) });
  for (const { s3Path, at } of lost) await remove(s3Path, at.bucket);
  const found = new Set<string>();
  const cursors: string[] = [];
  for (;;) {
    const report = await run(1000);
    for (const { kind, provider_id, key } of report.findings) {
      if (kind === "missing") found.add(`${provider_id} ${key}`);
    }
    if (report.next_cursor === null) break;
    cursors.push(report.next_cursor);
  }
  const expected = lost.map(({ s3Path, at }) => `${at.id} ${objectKey(s3Path)}`);
  expect([...found].filter((one) => expected.includes(one)).sort()).toEqual(expected.sort());
  // In the middle of a storage, and at the beginning of the next.
  expect(cursors).toContainEqual(expect.stringMatching(`^${other.id}:.{74}$`));
  expect(cursors).toContain(`${[provider.id, other.id].sort()[1]}:`);
  expect(new Set(cursors).size).toBe(cursors.length);
  const { next_cursor: last } = await master.admin.call("reconcileStorage", {
    body: { cursor: String(cursors.at(-1)) },
  });
  expect(last).toBeNull();
});

test("backups of a storage that is on record no more are told, and are not missing", async () => {
  const backup = await backUp(await newSite());
  const { providers } = openRecords(hostConfig());
  const record = await providers.get(provider.id);
  if (record === undefined) throw new Error("no provider");
  expect(await providers.remove(record)).toBe(true);
  const said = `There is no storage provider ${provider.id}, but 1 of the backups on record lie there.`;
  await expect(run()).rejects.toThrow(said);
  const { storage: report } = await master.admin.call("getUpkeep");
  expect(report?.storages).toContainEqual(
    expect.objectContaining({
      provider_id: provider.id,
      name: null,
      error: expect.objectContaining({ message: said }),
    }),
  );
  expect((await master.admin.call("getBackup", { id: backup.id })).verification_failed).toBeNull();
});
