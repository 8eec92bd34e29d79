// The way of one backup through the Master over the wire: enrol, protect, start, claim, patch, report, download.

import { randomUUID } from "node:crypto";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { armor, Decrypter } from "age-encryption";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NodeCredentials } from "#shared/contracts/nodes.ts";
import { objectKey } from "#shared/object-key.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { successReport } from "#test/helpers/reports.ts";

let master: Master;
beforeAll(async () => {
  master = await startMaster();
});
afterAll(() => master.close());

test("a backup goes from enrolment to download", async () => {
  const node = await master.enrolNode();
  const site = await master.createSite(node.id);

  const config = await node.client.call("getNodeConfig");
  expect(config.sites).toEqual([
    { id: site.id, name: site.name, path: site.path, state: "active", exclude: [] },
  ]);
  const decrypter = new Decrypter();
  decrypter.addIdentity(node.ageIdentity);
  const opened = await decrypter.decrypt(armor.decode(config.credentials), "text");
  const credentials = NodeCredentials.parse(JSON.parse(opened));
  const settings = {
    region: config.queue.region,
    credentials: {
      accessKeyId: credentials.access_key_id,
      secretAccessKey: credentials.secret_access_key,
      sessionToken: String(credentials.session_token),
    },
  };

  const started = await master.admin.call("startBackup", { id: site.id, body: {} });
  expect(started.state).toBe("queued");
  const sqs = new SQSClient({ ...settings, endpoint: String(config.queue.endpoint) });
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: config.queue.url, WaitTimeSeconds: 5 }),
  );
  expect(JSON.parse(Messages[0]?.Body ?? "")).toEqual({
    v: 1,
    type: "backup",
    trigger: "manual",
    site_id: site.id,
    job_id: started.job_id,
    correlation_id: (await master.admin.call("getJob", { id: started.job_id })).correlation_id,
  });

  const claim = await node.client.call("claimJob", {
    id: started.job_id,
    body: { site_id: site.id, runner_id: randomUUID(), trigger: "manual" },
  });
  expect(claim.fencing).toBe(1);
  expect(claim.s3_path).toMatch(
    new RegExp(`^/${node.id}/${site.id}/shop\\.example\\.com_\\d{8}_\\d{6}\\.tar\\.zst$`),
  );

  const progress = {
    stage: "archive",
    bytes_done: 10,
    bytes_total: 100,
    bytes_uploaded: 5,
    percent: 10,
    bytes_per_second: 1,
    eta_seconds: 90,
  } as const;
  const patched = await node.client.call("patchJob", { id: started.job_id, body: { fencing: 1, progress } });
  expect(patched).toMatchObject({ state: "running", cancel_requested: false });
  expect((await master.admin.call("getJob", { id: started.job_id })).progress).toEqual(progress);

  const quota = await node.client.call("checkSiteQuota", { id: site.id });
  expect(quota).toMatchObject({ can_proceed: true, used_bytes: 0 });

  const s3 = new S3Client({ ...settings, endpoint: String(config.storage.endpoint) });
  await s3.send(
    new PutObjectCommand({ Bucket: config.storage.bucket, Key: objectKey(claim.s3_path), Body: "archive" }),
  );
  const report = successReport(claim, 7);
  const reported = await node.client.call("reportBackup", { body: report });
  expect(reported).toMatchObject({ job_id: started.job_id, state: "succeeded" });
  // The path of the requirements, word for word, and once more: the same answer.
  const again = await node.client.request("POST", "/backups/", { body: report });
  expect([again.status, again.json]).toEqual([200, reported]);

  const backupId = String(reported.backup_id);
  const { items } = await master.admin.call("listBackups", { query: { site_id: site.id } });
  expect(items.map((backup) => backup.id)).toEqual([backupId]);
  const download = await master.admin.call("downloadBackup", { id: backupId });
  const response = await fetch(download.url);
  expect(await response.text()).toBe("archive");
  expect(response.headers.get("content-disposition")).toBe(`attachment; filename="${download.file_name}"`);
  expect(await master.admin.call("getSite", { id: site.id })).toMatchObject({
    active_job_id: null,
    last_backup_id: backupId,
  });
  expect(await master.admin.call("getBackupStatus", { id: site.id })).toMatchObject({
    active: null,
    last: { id: started.job_id, state: "succeeded", backup_id: backupId },
  });
  sqs.destroy();
  s3.destroy();
});
