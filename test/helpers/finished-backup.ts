// A finished backup without a runner: the node's calls in their order, and any bytes as its archive.
import { randomUUID } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Archive } from "#shared/contracts/backups.ts";
import { objectKey } from "#shared/object-key.ts";
import type { Master, TestNode } from "./master.ts";
import { successReport } from "./reports.ts";

export interface FinishedBackup {
  readonly id: string;
  readonly jobId: string;
  readonly s3Path: string;
}

export interface FinishedOptions {
  readonly body?: string | Uint8Array;
  readonly archive?: Partial<Archive>;
  /** The storage of the site, where that is not the stack's own bucket. */
  readonly at?: Pick<Master, "s3" | "bucket">;
}

export async function finishBackup(
  master: Master,
  node: Pick<TestNode, "client">,
  siteId: string,
  { body = "1234567", archive = {}, at = master }: FinishedOptions = {},
): Promise<FinishedBackup> {
  const jobId = randomUUID();
  const claim = await node.client.call("claimJob", {
    id: jobId,
    body: { site_id: siteId, runner_id: randomUUID(), trigger: "manual", create: true },
  });
  const put = new PutObjectCommand({ Bucket: at.bucket, Key: objectKey(claim.s3_path), Body: body });
  const { ETag: etag = "" } = await at.s3.send(put);
  const sizeBytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const report = successReport(claim, sizeBytes, { etag, ...archive });
  const { backup_id: id } = await node.client.call("reportBackup", { body: report });
  return { id: String(id), jobId, s3Path: claim.s3_path };
}
