// Retention over the wire: the policy, its preview, and the hourly chore that deletes, stops and says so.

import { randomUUID } from "node:crypto";
import { HeadObjectCommand, NotFound } from "@aws-sdk/client-s3";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { isDue } from "#functions/core/retention-run.ts";
import { type ChoreResult, handler as chore } from "#functions/retention-chore.ts";
import type { Archive } from "#shared/contracts/backups.ts";
import { objectKey } from "#shared/object-key.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { failureReport } from "#test/helpers/reports.ts";

let now = new Date("2030-01-01T03:00:00.000Z");
let broken = false;
let master: Master;
let node: TestNode;
let siteId: string;
beforeAll(async () => {
  master = await startMaster({
    now: () => now,
    s3Faults: ({ operation }) =>
      broken && operation === "DeleteObject" ? { status: 403, code: "AccessDenied" } : undefined,
  });
  node = await master.enrolNode();
});
afterAll(() => master.close());
beforeEach(async () => {
  siteId = (await master.createSite(node.id, `site-${randomUUID()}`)).id;
});

async function backUpDaily(count: number, archive: Partial<Archive> = {}) {
  const made = [];
  for (let day = 0; day < count; day += 1) {
    now = new Date(now.getTime() + 24 * 3_600_000);
    made.push(await finishBackup(master, node, siteId, { archive }));
  }
  return made;
}

/** The chore in that site's hour. */
function runChore(leftMs = 900_000): Promise<ChoreResult> {
  const hours = Array.from({ length: 24 }, (_, hour) => new Date(Date.UTC(2030, 0, 1, hour)));
  const hour = hours.find((at) => isDue(siteId, at));
  return chore({ time: String(hour?.toISOString()) }, { getRemainingTimeInMillis: () => leftMs } as Context);
}

const keepTwo = () =>
  master.admin.call("putSiteRetention", { id: siteId, body: { keep_last: 2, min_keep: 1 } });
const listed = async () =>
  (await master.admin.call("listBackups", { query: { site_id: siteId } })).items.map(({ id }) => id);
const preview = (query: Record<string, number> = {}) =>
  master.admin.call("previewSiteRetention", { id: siteId, query });
const activity = async (action: string) =>
  (await master.admin.call("listActivity", { query: { limit: 50 } })).items.filter(
    (one) => one.action === action && JSON.stringify(one).includes(siteId),
  );

test("a policy is tried, saved, previewed and carried out, with reasons", async () => {
  await expect(preview()).rejects.toMatchObject({ code: "not_found" });
  const made = await backUpDaily(4);
  const tried = await preview({ keep_daily: 3 });
  expect(tried.remove.map(({ backup_id }) => backup_id)).toEqual([made[0]?.id]);
  expect((await master.admin.call("getSite", { id: siteId })).retention).toBeNull();
  await runChore();
  expect(await listed()).toHaveLength(4);

  expect((await keepTwo()).retention).toMatchObject({ keep_last: 2, keep_daily: 0, min_keep: 1 });
  const planned = await preview();
  expect(planned).toMatchObject({ alarms: [], freed_bytes: 14 });
  expect(planned.keep.map(({ backup_id, reasons }) => [backup_id, reasons])).toEqual([
    [made[3]?.id, ["the newest good backup", "last"]],
    [made[2]?.id, ["last"]],
  ]);
  expect(await listed()).toHaveLength(4);

  expect(await runChore()).toMatchObject({ removed: 2, stopped: 0, failed: 0 });
  expect(await listed()).toEqual([made[3]?.id, made[2]?.id]);
  for (const [at, { s3Path }] of made.entries()) {
    const head = master.s3.send(new HeadObjectCommand({ Bucket: master.bucket, Key: objectKey(s3Path) }));
    if (at < 2) await expect(head).rejects.toBeInstanceOf(NotFound);
    else await head;
  }
  const [removal] = await activity("backup.deleted");
  expect(removal).toMatchObject({
    actor: { id: "retention" },
    details: { reasons: [expect.stringContaining("keep_last 2")] },
  });
  expect(await runChore()).toMatchObject({ removed: 0 });
});

test("a policy that keeps nothing is refused, also in a preview", async () => {
  for (const body of [{}, { keep_last: 0 }, { keep_lost: 1 }]) {
    const answer = await master.admin.request("PUT", `/sites/${siteId}/retention`, { body });
    expect(answer.json).toMatchObject({ code: "invalid_request" });
  }
  await expect(preview({ min_keep: 3 })).rejects.toMatchObject({ code: "invalid_request" });
});

test("held backups stay, and the policy can be taken away", async () => {
  const [first] = await backUpDaily(4);
  await master.admin.call("putBackupHold", { id: String(first?.id), body: { held: true } });
  await keepTwo();
  await runChore();
  expect(await listed()).toHaveLength(3);
  expect(await listed()).toContain(first?.id);
  await master.admin.call("deleteSiteRetention", { id: siteId });
  await backUpDaily(3);
  await runChore();
  expect(await listed()).toHaveLength(6);
});

test("while backups fail nothing is deleted, and it goes on once they succeed", async () => {
  await backUpDaily(3);
  await keepTwo();
  const claim = await node.client.call("claimJob", {
    id: randomUUID(),
    body: { site_id: siteId, runner_id: randomUUID(), trigger: "manual", create: true },
  });
  await node.client.call("reportBackup", { body: failureReport(claim) });
  expect(await runChore()).toMatchObject({ removed: 0, stopped: 1 });
  const { retention_stop: stop } = await master.admin.call("getSite", { id: siteId });
  expect(stop).toMatchObject({ at: now.toISOString(), alarms: [{ code: "backups_failing" }] });
  expect(await runChore()).toMatchObject({ removed: 0, stopped: 1 });
  expect(await activity("retention.stopped")).toHaveLength(1);
  await backUpDaily(1);
  expect(await runChore()).toMatchObject({ removed: 2, stopped: 0 });
  expect((await master.admin.call("getSite", { id: siteId })).retention_stop).toBeNull();
});

test("signs of an attack stop it until an operator saves the policy again", async () => {
  const calm = { files_bytes: 500_000_000, db_bytes: 40_000_000, tar_bytes: 540_000_000 };
  await backUpDaily(3, calm);
  await keepTwo();
  const wiped = { ...calm, files_bytes: 1000, tar_bytes: 40_001_000 };
  await backUpDaily(1, wiped);
  expect(await runChore()).toMatchObject({ removed: 0, stopped: 1 });
  // However many backups of the wiped site follow.
  await backUpDaily(12, wiped);
  expect(await runChore()).toMatchObject({ removed: 0, stopped: 1 });
  expect((await preview()).alarms).toContainEqual(expect.objectContaining({ code: "size_jumped" }));
  expect(await listed()).toHaveLength(16);
  await keepTwo();
  expect(await runChore()).toMatchObject({ removed: 14, stopped: 0 });
});

test("an object that could not be removed is removed by a later run", async () => {
  const made = await backUpDaily(3);
  await keepTwo();
  broken = true;
  expect(await runChore()).toMatchObject({ failed: 1 });
  broken = false;
  expect(await listed()).toHaveLength(2);
  const head = () =>
    master.s3.send(new HeadObjectCommand({ Bucket: master.bucket, Key: objectKey(String(made[0]?.s3Path)) }));
  await head();
  now = new Date(now.getTime() + 3_600_000);
  await runChore();
  await expect(head()).rejects.toBeInstanceOf(NotFound);
});

test("a run that has no time left leaves the rest for the next", async () => {
  await backUpDaily(3);
  await keepTwo();
  expect(await runChore(1000)).toMatchObject({ sites: 0, removed: 0 });
  expect(await listed()).toHaveLength(3);
});

test("each site has one hour of the day", () => {
  for (let round = 0; round < 200; round += 1) {
    const id = randomUUID();
    const hours = Array.from({ length: 24 }, (_, hour) => isDue(id, new Date(Date.UTC(2030, 5, 7, hour))));
    expect(hours.filter(Boolean)).toHaveLength(1);
  }
});
