// The calls to AWS of what keeps the records and the storage in step; part of make-every-call.ts.
import { randomUUID } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { objectKey } from "#shared/object-key.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import type { Master, TestNode } from "#test/helpers/master.ts";
import { successReport } from "#test/helpers/reports.ts";

export async function everyCallOfStorage(
  master: Master,
  node: TestNode,
  passHours: (hours: number) => void,
): Promise<void> {
  const { id: siteId } = await master.createSite(node.id, "stored.example.com");
  await aLostReport(master, node, siteId, passHours);
  await master.admin.call("deleteSite", { id: siteId });
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
