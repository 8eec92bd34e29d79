// Records and storage compared over the wire: what is missing is noted and told, what lies there unrecorded is recorded, a
// dry run changes nothing, and nothing is ever deleted.
import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { handler as chore } from "#functions/reconcile-chore.ts";
import type { StorageReport } from "#shared/contracts/upkeep.ts";
import { archiveFileName, objectKey } from "#shared/object-key.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

const HOUR_MS = 3_600_000;
let now = new Date();
let brokenSite = "";
let master: Master;
let node: TestNode;
beforeAll(async () => {
  master = await startMaster({
    now: () => now,
    s3Faults: ({ operation, key }) =>
      operation === "HeadObject" && brokenSite !== "" && key.includes(brokenSite)
        ? { status: 403, code: "AccessDenied" }
        : undefined,
  });
  node = await master.enrolNode();
});
afterAll(() => master.close());

const newSite = async (): Promise<string> => (await master.createSite(node.id, `site-${randomUUID()}`)).id;
const backUp = (siteId: string) => {
  now = new Date(now.getTime() + HOUR_MS);
  return finishBackup(master, node, siteId);
};
const remove = (path: string) =>
  master.s3.send(new DeleteObjectCommand({ Bucket: master.bucket, Key: objectKey(path) }));
const put = (key: string, body: Uint8Array | string) =>
  master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key: key, Body: body }));
const run = (leftMs = 900_000): Promise<StorageReport> =>
  chore({}, { getRemainingTimeInMillis: () => leftMs } as Context);
const dryRun = () => master.admin.call("reconcileStorage", { body: {} });
const ofSite = (report: StorageReport, siteId: string) =>
  report.findings.filter(({ site_id }) => site_id === siteId).map(({ kind, key }) => [kind, key]);
const keys = async () => (await master.s3Server.inspect()).objects.map(({ key }) => key).sort();

test("what is missing or another object is damaged on record, no copy source, and told; and is right when it is back", async () => {
  const siteId = await newSite();
  const [gone, changed] = [await backUp(siteId), await backUp(siteId)];
  expect(ofSite(await dryRun(), siteId)).toEqual([]);
  await remove(gone.s3Path);
  await put(objectKey(changed.s3Path), "another");
  const before = await master.dumpTable();
  const suspected = await dryRun();
  expect(ofSite(suspected, siteId)).toEqual([
    ["missing", objectKey(gone.s3Path)],
    ["changed", objectKey(changed.s3Path)],
  ]);
  // Only the call itself is on record.
  expect((await master.dumpTable()).filter((item) => !before.includes(item))).toHaveLength(1);

  const report = await run();
  expect(ofSite(report, siteId)).toHaveLength(2);
  expect(await master.admin.call("getBackup", { id: gone.id })).toMatchObject({
    verification_failed: { job_id: null, error: { code: "archive_unavailable" } },
  });
  await master.invoke("watchChore", {});
  const { items } = await master.admin.call("listAlerts");
  expect(items).toContainEqual(
    expect.objectContaining({
      kind: "backups_missing",
      target: { kind: "site", id: siteId },
      text: expect.stringContaining("2 of its backups"),
    }),
  );
  const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const, create: true };
  const claim = await node.client.call("claimJob", { id: randomUUID(), body });
  expect(claim.previous).toBeUndefined();
  await master.admin.call("cancelJob", { id: claim.job.id });

  for (const { s3Path } of [gone, changed]) await put(objectKey(s3Path), "1234567");
  expect(ofSite(await run(), siteId).map(([kind]) => kind)).toEqual(["returned", "returned"]);
  expect((await master.admin.call("getBackup", { id: gone.id })).verification_failed).toBeNull();
  now = new Date(now.getTime() + 2 * HOUR_MS);
  await master.invoke("watchChore", {});
  expect(
    (await master.admin.call("listAlerts")).items.filter(({ kind }) => kind === "backups_missing"),
  ).toEqual([]);
  expect(await master.admin.call("getUpkeep")).toMatchObject({ storage: { dry_run: false } });
});

test("what lies there unrecorded is recorded if it is a backup, and left alone in any case", async () => {
  const siteId = await newSite();
  const kept = await backUp(siteId);
  const deleted = await backUp(siteId);
  await master.admin.call("deleteBackup", { id: deleted.id });
  const { object } = await indexedArchive(filesOf({ "database.sql": 5 }), 100, {
    node_id: node.id,
    site_id: siteId,
  });
  const name = archiveFileName("shop.example.com", new Date("2025-01-01T00:00:00.000Z"));
  const below = `${node.id}/${siteId}`;
  const there: [string, string, Uint8Array | string][] = [
    ["unknown", "elsewhere/a.txt", "x"],
    ["unknown", `${below}/notes.txt`, "x"],
    ["refused", `${below}/${archiveFileName("bad", new Date("2025-01-02T00:00:00.000Z"))}`, "no archive"],
    ["unknown", `${randomUUID()}/${randomUUID()}/${name}`, object],
    ["deleted", objectKey(deleted.s3Path), object],
    ["adopted", `${below}/${name}`, object],
  ];
  for (const [, key, body] of there) await put(key, body);
  now = new Date(now.getTime() + HOUR_MS);
  const before = await keys();
  const planned = await dryRun();
  expect(planned.counts).toMatchObject({ adoptable: 2, deleted: 1 });
  const report = await run();
  for (const [kind, key] of there) {
    expect(report.findings.find((one) => one.key === key)).toMatchObject({ kind });
  }
  expect(report).toMatchObject({ dry_run: false, failed_sites: 0, next_cursor: null });
  const { items } = await master.admin.call("listBackups", { query: { site_id: siteId } });
  expect(items.map(({ origin }) => origin)).toEqual(["report", "index"]);
  expect(items[0]?.id).toBe(kept.id);
  expect(await keys()).toEqual(before);
  expect((await run()).counts).not.toHaveProperty("adopted");
});

test("a run without time goes on where it stopped; one site's trouble is no other's", async () => {
  const sites = [];
  for (let count = 0; count < 12; count += 1) sites.push(await newSite());
  const lost = await Promise.all(sites.map((siteId) => finishBackup(master, node, siteId)));
  for (const { s3Path } of lost) await remove(s3Path);
  const found = new Set<string>();
  let cursor: string | undefined;
  let rounds = 0;
  do {
    const report = await run(1000);
    for (const { kind, site_id } of report.findings) if (kind === "missing") found.add(String(site_id));
    cursor = report.next_cursor ?? undefined;
    rounds += 1;
  } while (cursor !== undefined);
  expect(rounds).toBeGreaterThan(1);
  expect([...found].sort()).toEqual([...sites].sort());

  brokenSite = String(sites[3]);
  await expect(run()).rejects.toThrow("1 sites could not be compared.");
  brokenSite = "";
  const { storage } = await master.admin.call("getUpkeep");
  expect(storage).toMatchObject({ failed_sites: 1, counts: { missing: 11 } });
});

test("a cursor of another shape is refused, and so is an operator", async () => {
  const call = master.admin.request("POST", "/storage/reconcile", { body: { cursor: "x" } });
  expect((await call).json).toMatchObject({ code: "invalid_request" });
  const operator = await master.operator("operator");
  await expect(operator.call("reconcileStorage", { body: {} })).rejects.toMatchObject({
    code: "role_too_low",
  });
});
