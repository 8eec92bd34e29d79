// Holding and deleting backups: what is on hold or being read stays, what is deleted is gone from lists, quotas and the
// bucket, and says so.
import { randomUUID } from "node:crypto";
import { HeadObjectCommand, NotFound } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { objectKey } from "#shared/object-key.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

let now = new Date("2030-01-01T03:00:00.000Z");
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

async function backUp() {
  now = new Date(now.getTime() + 60_000);
  return finishBackup(master, node, siteId);
}

const remove = (id: string) => master.admin.call("deleteBackup", { id });
const listed = async () =>
  (await master.admin.call("listBackups", { query: { site_id: siteId } })).items.map(({ id }) => id);
const used = async () => (await master.admin.call("getSiteQuotaStatus", { id: siteId })).used_bytes;
const site = () => master.admin.call("getSite", { id: siteId });
const refusedAs = (code: string): unknown => expect.objectContaining({ code });
const head = (s3Path: string) =>
  master.s3.send(new HeadObjectCommand({ Bucket: master.bucket, Key: objectKey(s3Path) }));

test("a deleted backup is gone everywhere, and the site's newest is then the one before", async () => {
  const [older, newer] = [await backUp(), await backUp()];
  expect(await used()).toBe(14);
  await remove(newer.id);
  expect(await listed()).toEqual([older.id]);
  expect(await used()).toBe(7);
  expect((await site()).last_backup_id).toBe(older.id);
  await expect(head(newer.s3Path)).rejects.toBeInstanceOf(NotFound);
  await head(older.s3Path);
  const gone = { code: "not_found", message: expect.stringContaining("deleted at") };
  await expect(master.admin.call("getBackup", { id: newer.id })).rejects.toMatchObject(gone);
  await expect(remove(newer.id)).rejects.toMatchObject(gone);
  await remove(older.id);
  expect(await site()).toMatchObject({ last_backup_id: null, last_backup_at: null });
  // The next one copies nothing and is found again.
  const next = await backUp();
  expect(await listed()).toEqual([next.id]);
});

test("a hold keeps a backup until it is lifted, also against a deletion that had read it before", async () => {
  const { id } = await backUp();
  const held = await master.admin.call("putBackupHold", { id, body: { held: true, reason: "court order" } });
  expect(held.hold).toMatchObject({ reason: "court order", at: now.toISOString() });
  await expect(remove(id)).rejects.toEqual(refusedAs("backup_held"));
  expect((await master.admin.call("getBackup", { id })).hold).toEqual(held.hold);
  const lifted = await master.admin.call("putBackupHold", { id, body: { held: false } });
  expect(lifted.hold).toBeNull();
  // Both at once, many times: never both deleted and held.
  for (let round = 0; round < 5; round += 1) {
    const racing = await backUp();
    const results = await Promise.allSettled([
      remove(racing.id),
      master.admin.call("putBackupHold", { id: racing.id, body: { held: true } }),
    ]);
    const done = results.map(({ status }) => status === "fulfilled");
    expect(done.filter(Boolean)).toHaveLength(1);
    expect((await listed()).includes(racing.id)).toBe(done[1]);
  }
});

test("a backup that is being restored or verified stays until that is over", async () => {
  const { id } = await backUp();
  const { job_id: jobId } = await master.admin.call("verifyBackup", { id, body: {} });
  await expect(remove(id)).rejects.toEqual(refusedAs("conflict"));
  await master.admin.call("cancelJob", { id: jobId });
  await remove(id);
});

test("a queued restore of a deleted backup ends and says why", async () => {
  const { id } = await backUp();
  const other = await master.createSite(node.id, `other-${randomUUID()}`);
  const { job_id: jobId } = await master.admin.call("restoreBackup", { id, body: { site_id: other.id } });
  await remove(id);
  const claim = node.client.call("claimJob", {
    id: jobId,
    body: { site_id: other.id, runner_id: randomUUID(), trigger: "manual" },
  });
  await expect(claim).rejects.toEqual(refusedAs("job_ended"));
  const job = await master.admin.call("getJob", { id: jobId });
  expect(job).toMatchObject({ state: "skipped", reason: "The backup was deleted meanwhile." });
});

test("only an admin deletes, and an operator may hold", async () => {
  const { id } = await backUp();
  const operator = await master.operator("operator");
  await expect(operator.call("deleteBackup", { id })).rejects.toEqual(refusedAs("role_too_low"));
  await operator.call("putBackupHold", { id, body: { held: true } });
  const viewer = await master.operator("viewer");
  await expect(viewer.call("putBackupHold", { id, body: { held: false } })).rejects.toEqual(
    refusedAs("role_too_low"),
  );
});
