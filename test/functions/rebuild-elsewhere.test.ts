// The table is lost, and archives lie in another storage, too: it comes back without its secret, and once that is there
// again, so do its archives.
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openManifests } from "#functions/stores/manifests.ts";
import type { Site } from "#shared/contracts/sites.ts";
import type { StorageProvider } from "#shared/contracts/storage.ts";
import { emptyTable } from "#test/helpers/empty-table.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { rebuild } from "#test/helpers/rebuild.ts";
import { type SecondStorage, startSecondStorage } from "#test/helpers/second-storage.ts";
import { hostConfig } from "#test/helpers/stores.ts";

const HOUR_MS = 3_600_000;
// Behind the machine's, which objects have: no name may be of a time after its object was stored.
let now = new Date(Date.now() - 20 * 24 * HOUR_MS);
let master: Master;
let node: TestNode;
let storage: SecondStorage;
let provider: StorageProvider;
beforeAll(async () => {
  master = await startMaster({ now: () => now });
  node = await master.enrolNode();
  storage = await startSecondStorage();
  provider = await master.admin.call("createStorageProvider", { body: storage.provider });
});
afterAll(async () => {
  await storage?.[Symbol.asyncDispose]();
  await master?.close();
});

function createSite(name: string): Promise<Site> {
  const body = { node_id: node.id, name, path: `/var/www/${name}`, storage_provider_id: provider.id };
  return master.admin.call("createSite", { body });
}

async function backUp(site: Site, isElsewhere: boolean): Promise<string> {
  now = new Date(now.getTime() + HOUR_MS);
  const owner = { node_id: site.node_id, site_id: site.id };
  const files = filesOf({ "a.txt": 3, "database.sql": 5 });
  const { object, sha256Index } = await indexedArchive(files, 100, owner);
  const at = isElsewhere ? { s3: storage.client, bucket: provider.bucket } : master;
  const archive = { sha256_index: sha256Index };
  return (await finishBackup(master, node, site.id, { body: object, archive, at })).id;
}

/** What an operator sees of the backups, without their ids. */
async function look() {
  const { items } = await master.admin.call("listBackups");
  return items.map(({ s3_path, provider_id, site_id, size_bytes, created_at, hold }) => {
    return { s3_path, provider_id, site_id, size_bytes, created_at, hold };
  });
}

test("a storage comes back without its secret, and its archives when it has it again", async () => {
  const { admin } = master;
  const [stays, moves] = [await createSite("stays.example.com"), await createSite("moves.example.com")];
  const held = await backUp(stays, true);
  await admin.call("putBackupHold", { id: held, body: { held: true, reason: "court" } });
  await backUp(stays, true);
  await backUp(moves, true);
  await admin.call("patchSite", { id: moves.id, body: { storage_provider_id: "default" } });
  await backUp(moves, false);
  await master.invoke("inventoryChore", {});
  const manifests = openManifests(hostConfig());
  const text = await manifests.read(String((await manifests.dates()).at(-1)));
  expect(text).toContain(provider.id);
  expect(text).not.toMatch(/secret|AGE/);
  const before = await look();
  await emptyTable(process.env);
  const stray = `${node.id}/${provider.id}/x`;
  const put = new PutObjectCommand({ Bucket: provider.bucket, Key: stray, Body: "x" });
  await storage.client.send(put);

  const counts = { nodes: 0, providers: 0, sites: 0, backups: 0, left_providers: [], refused: [] };
  const left = { id: provider.id, name: provider.name, why: "its secret is not kept outside the table" };
  expect(await rebuild(() => now)).toMatchObject({
    ...{ ...counts, providers: 1, nodes: 1, sites: 2, backups: 1 },
    ...{ unknown_sites: [], left_providers: [left] },
  });
  const { items } = await admin.call("listStorageProviders");
  expect(items[1]).toEqual({ ...provider, tested_at: null, features: null });
  expect(await admin.call("getSite", { id: stays.id })).toMatchObject({ storage_provider_id: provider.id });
  // Neither missing nor recorded: it cannot be looked into.
  const { storages, counts: found } = await admin.call("reconcileStorage", { body: { dry_run: false } });
  expect(storages).toMatchObject([
    { provider_id: "default", backups: 1, error: null },
    { provider_id: provider.id, error: { code: "storage_secret_unreadable" } },
  ]);
  expect(found).toEqual({});

  const { access_key_id, secret_access_key } = storage.keys;
  const body = { access_key_id, secret_access_key };
  await admin.call("patchStorageProvider", { id: provider.id, body });
  expect((await admin.call("testStorageProvider", { id: provider.id })).usable).toBe(true);
  expect(await rebuild(() => now)).toMatchObject({
    ...{ ...counts, backups: 3, refused: [{ key: stray, why: "no backup of a site on record" }] },
  });
  expect(await look()).toEqual(before);
  expect(await rebuild(() => now)).toMatchObject({ ...counts, refused: [{ key: stray }] });
  expect(await look()).toEqual(before);

  // Also that `moves` has something there is known again.
  const compared = await admin.call("reconcileStorage", { body: {} });
  expect(compared.storages[1]).toMatchObject({ sites: 2, backups: 3, error: null });
  expect(compared.counts).toEqual({ unknown: 1 });
  await expect(admin.call("deleteStorageProvider", { id: provider.id })).rejects.toMatchObject({
    code: "provider_in_use",
  });
  const config = await node.client.call("getNodeConfig");
  expect(config.storages).toMatchObject([{ provider_id: provider.id, bucket: provider.bucket }]);
  await backUp(stays, true);
});

test("a storage that cannot be reached is left for the next time, and the rest comes back", async () => {
  await emptyTable(process.env);
  await rebuild(() => now);
  const { access_key_id, secret_access_key } = storage.keys;
  const body = { access_key_id, secret_access_key };
  await master.admin.call("patchStorageProvider", { id: provider.id, body });
  storage.wire.fault = () => "reset";
  const { left_providers: left } = await rebuild(() => now);
  expect(left).toEqual([
    { id: provider.id, name: provider.name, why: expect.stringContaining("The storage elsewhere: ") },
  ]);
  storage.wire.fault = () => undefined;
  expect(await rebuild(() => now)).toMatchObject({ backups: 4, left_providers: [] });
});
