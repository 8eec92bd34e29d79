// The calls to AWS of what keeps the records and the storage in step; part of make-every-call.ts.
import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { DeleteQueueCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { queueArn, queueName } from "#functions/core/queue-names.ts";
import { openQueues } from "#functions/stores/queues.ts";
import { openSchedules } from "#functions/stores/schedules.ts";
import { archiveFileName, objectKey } from "#shared/object-key.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import type { Master, TestNode } from "#test/helpers/master.ts";
import { successReport } from "#test/helpers/reports.ts";
import { hostConfig } from "#test/helpers/stores.ts";

export async function everyCallOfStorage(
  master: Master,
  node: TestNode,
  passHours: (hours: number) => void,
): Promise<void> {
  const { id: siteId } = await master.createSite(node.id, "stored.example.com");
  await aLostReport(master, node, siteId, passHours);
  await everyCallOfReconcile(master, node, siteId, passHours);
  await everyCallOfDrift(master);
  await master.admin.call("getUpkeep");
  await master.admin.call("getStorageSummary");
  const old = "_backupd/manifests/2020-01-0";
  for (let day = 1; day <= 9; day += 1) {
    const Key = `${old}${day}.ndjson.zst`;
    await master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key, Body: "old" }));
  }
  await master.invoke("inventoryChore", {});
  await master.admin.call("deleteSite", { id: siteId });
}

async function everyCallOfReconcile(
  master: Master,
  node: TestNode,
  siteId: string,
  passHours: (hours: number) => void,
): Promise<void> {
  const owner = { node_id: node.id, site_id: siteId };
  const { object } = await indexedArchive(filesOf({ "database.sql": 1 }), 100, owner);
  const runs = [
    () => master.admin.call("reconcileStorage", { body: { dry_run: false } }),
    () => master.invoke("reconcileChore", {}),
  ];
  for (const [day, run] of runs.entries()) {
    const lost = await finishBackup(master, node, siteId);
    await master.s3.send(new DeleteObjectCommand({ Bucket: master.bucket, Key: objectKey(lost.s3Path) }));
    const name = archiveFileName("stored.example.com", new Date(Date.UTC(2025, 0, 1 + day)));
    const Key = `${node.id}/${siteId}/${name}`;
    await master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key, Body: object }));
    passHours(1);
    await run();
  }
}

async function everyCallOfDrift(master: Master): Promise<void> {
  const runs = [
    () => master.admin.call("checkDrift", { body: { dry_run: false } }),
    async () => {
      for (let hour = 0; hour < 24; hour += 1) {
        await master.invoke("driftChore", { time: new Date(Date.UTC(2030, 0, 1, hour)).toISOString() });
      }
    },
  ];
  for (const run of runs) {
    await makeDrift(master);
    await run();
  }
}

/** Something of every kind to repair. */
async function makeDrift(master: Master): Promise<void> {
  const [node, queueless, gone] = [
    await master.enrolNode(),
    await master.enrolNode(),
    await master.enrolNode(),
  ];
  const config = hostConfig();
  const urlOf = async ({ id }: TestNode): Promise<string> => {
    const named = new GetQueueUrlCommand({ QueueName: queueName(config, id) });
    return String((await master.sqs.send(named)).QueueUrl);
  };
  const settings = { QueueUrl: await urlOf(node), Attributes: { VisibilityTimeout: "1" } };
  await master.sqs.send(new SetQueueAttributesCommand(settings));
  await master.sqs.send(new DeleteQueueCommand({ QueueUrl: await urlOf(queueless) }));
  await master.admin.call("deleteNode", { id: gone.id });
  await openQueues(config).create(gone.id);
  const schedule = { expression: "rate(1 day)", time_zone: "UTC", flexible_minutes: 0, enabled: true };
  const schedules = openSchedules(config);
  for (const name of ["one", "two", "three"]) {
    const { id } = await master.createSite(node.id, `${name}.example.com`);
    await master.admin.call("putSiteSchedule", { id, body: schedule });
    if (name === "one") await schedules.remove(id);
    if (name === "three") {
      await master.admin.call("deleteSite", { id });
      await schedules.put(id, "backup", schedule, queueArn(config, node.id));
    }
  }
}

async function aLostReport(
  master: Master,
  node: TestNode,
  siteId: string,
  passHours: (hours: number) => void,
): Promise<void> {
  const claim = await node.client.call("claimJob", {
    id: randomUUID(),
    body: { site_id: siteId, runner_id: randomUUID(), trigger: "manual", create: true },
  });
  const owner = { node_id: node.id, site_id: siteId };
  const { object, sha256Index } = await indexedArchive(filesOf({ "database.sql": 1 }), 100, owner);
  const key = objectKey(claim.s3_path);
  const put = new PutObjectCommand({ Bucket: master.bucket, Key: key, Body: object });
  const { ETag: etag = "" } = await master.s3.send(put);
  passHours(1);
  const body = JSON.stringify({ detail: { object: { key } } });
  await master.invoke("stored", { Records: [{ messageId: "1", body }] });
  const report = successReport(claim, object.length, { etag, sha256_index: sha256Index });
  await node.client.call("reportBackup", { body: report });
}
