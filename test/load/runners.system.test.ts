// The local Master under load: 200 runners at once, each with every call of a backup. How long the calls took is printed.
import { randomUUID } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRecords, type Records } from "#functions/stores/records.ts";
import { objectKey } from "#shared/object-key.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { successReport } from "#test/helpers/reports.ts";
import { hostConfig } from "#test/helpers/stores.ts";
import { type LoadedNode, writeNodes } from "./a-fleet.ts";
import { collectLatencies, type Latencies } from "./latencies.ts";

const RUNNERS = 200;
const BODY = "an archive";

let master: Master;
let records: Records;
let nodes: LoadedNode[];

beforeAll(async () => {
  master = await startMaster();
  records = openRecords(hostConfig());
  nodes = await writeNodes(master, records, RUNNERS);
});
afterAll(() => master?.close());

/** Every call that a runner makes for a backup, in their order; any answer but the good one throws. */
async function runBackup({ client, site }: LoadedNode, latencies: Latencies): Promise<string> {
  const jobId = randomUUID();
  const timed: typeof client.call = (operation, input) =>
    latencies.measure(operation, () => client.call(operation, input));
  const config = await timed("getNodeConfig");
  expect(config.sites.map(({ id }) => id)).toEqual([site.id]);
  const claim = await timed("claimJob", {
    id: jobId,
    body: { site_id: site.id, runner_id: randomUUID(), trigger: "manual", create: true },
  });
  expect(await timed("checkSiteQuota", { id: site.id })).toMatchObject({ can_proceed: true });
  const progress = { stage: "archive", bytes_done: 5, bytes_total: 10, bytes_uploaded: 4 } as const;
  const rates = { percent: 50, bytes_per_second: 5, eta_seconds: 1 };
  const patched = await timed("patchJob", {
    id: jobId,
    body: { fencing: claim.fencing, progress: { ...progress, ...rates } },
  });
  expect(patched).toMatchObject({ state: "running", cancel_requested: false });
  await timed("heartbeatNode", { body: beat(jobId) });
  const place = { Bucket: master.bucket, Key: objectKey(claim.s3_path) };
  const { ETag: etag = "" } = await master.s3.send(new PutObjectCommand({ ...place, Body: BODY }));
  const report = successReport(claim, BODY.length, { etag });
  const { backup_id: backupId } = await timed("reportBackup", { body: report });
  await timed("heartbeatNode", { body: beat(null) });
  return String(backupId);
}

const beat = (jobId: string | null) => ({
  ...{ version: "1", platform: "linux", running_job_id: jobId, outbox_length: 0 },
  ...{ disk_free_bytes: 1, disk_total_bytes: 2 },
});

test(`${RUNNERS} runners at once get the good answer to every call, and each has its backup`, async () => {
  const latencies = collectLatencies();
  const ids = await Promise.all(nodes.map((node) => runBackup(node, latencies)));
  process.stdout.write(latencies.table());
  expect(new Set(ids).size).toBe(RUNNERS);
  const found = await Promise.all(nodes.map(({ site }) => records.backups.ofSite(site.node_id, site.id)));
  expect(found.map((backups) => backups.map(({ id }) => id))).toEqual(ids.map((id) => [id]));
  const states = await Promise.all(nodes.map(({ site }) => records.sites.get(site.id)));
  expect(states.filter((site) => site?.active_job_id !== undefined)).toEqual([]);
});
