// Many callers at the same moment, over the wire and against a real table: each race has exactly one winner.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { objectKey } from "#shared/object-key.ts";
import type { ApiClient, RawAnswer } from "#test/helpers/api-client.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { failureReport, successReport } from "#test/helpers/reports.ts";

let master: Master;
let node: TestNode;
beforeAll(async () => {
  master = await startMaster();
  node = await master.enrolNode();
});
afterAll(() => master.close());

const PARALLEL = 20;

function inParallel(call: (index: number) => Promise<RawAnswer>, count = PARALLEL): Promise<RawAnswer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index)));
}

/** `{ "200": 1, "lease_held": 19 }` */
function tally(answers: readonly RawAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, json } of answers) {
    const outcome = status < 300 ? String(status) : String(json?.code);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

async function startedJob(name: string): Promise<{ siteId: string; jobId: string }> {
  const site = await master.createSite(node.id, name);
  const { job_id: jobId } = await master.admin.call("startBackup", { id: site.id, body: {} });
  return { siteId: site.id, jobId };
}

const claimBody = (siteId: string): { site_id: string; runner_id: string; trigger: "manual" } => ({
  site_id: siteId,
  runner_id: randomUUID(),
  trigger: "manual",
});

test("20 claims of one job: one lease", async () => {
  const { siteId, jobId } = await startedJob("claims");
  const claim = (client: ApiClient) => () =>
    client.request("POST", `/jobs/${jobId}/claim`, { body: claimBody(siteId) });
  const answers = await inParallel(claim(node.client));
  expect(tally(answers)).toEqual({ "200": 1, lease_held: PARALLEL - 1 });
  for (const answer of answers.filter(({ status }) => status === 409)) {
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  }
});

test("20 starts of one site: one job, one message", async () => {
  const site = await master.createSite(node.id, "starts");
  const answers = await inParallel(() =>
    master.admin.request("POST", `/sites/${site.id}/backup/start`, { body: {} }),
  );
  expect(tally(answers)).toEqual({ "202": 1, backup_in_progress: PARALLEL - 1 });
  const { items } = await master.admin.call("listJobs", { query: { site_id: site.id } });
  expect(items).toHaveLength(1);
});

test("20 first claims of one scheduled job: one job, one lease", async () => {
  const site = await master.createSite(node.id, "scheduled");
  const { jobIdFor } = await import("#shared/job-id.ts");
  const scheduledTime = new Date().toISOString();
  const body = { site_id: site.id, trigger: "schedule", scheduled_time: scheduledTime };
  const path = `/jobs/${jobIdFor(site.id, scheduledTime)}/claim`;
  const answers = await inParallel(() =>
    node.client.request("POST", path, { body: { ...body, runner_id: randomUUID() } }),
  );
  expect(tally(answers)).toEqual({ "200": 1, lease_held: PARALLEL - 1 });
});

test("20 enrolments with one token: one node, and no queue without a node", async () => {
  const queuesBefore = ((await master.sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []).length;
  const { token } = await master.admin.call("createEnrollmentToken", { body: {} });
  const answers = await inParallel((index) =>
    master.anonymous.request("POST", "/nodes/enroll", {
      body: {
        token,
        name: `racer-${index}`,
        signing_key: generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x,
        age_recipient: `age1${"q".repeat(58)}`,
        version: "1",
      },
    }),
  );
  expect(tally(answers)).toEqual({ "201": 1, enrollment_token_invalid: PARALLEL - 1 });
  const { items } = await master.admin.call("listNodes");
  expect(items.filter(({ name }) => name.startsWith("racer-"))).toHaveLength(1);
  const queues = (await master.sqs.send(new ListQueuesCommand({}))).QueueUrls ?? [];
  expect(queues.length).toBe(queuesBefore + 1);
});

test("10 reports of one success: one backup, and all get the same answer", async () => {
  const { siteId, jobId } = await startedJob("reports");
  const claim = await node.client.call("claimJob", { id: jobId, body: claimBody(siteId) });
  await master.s3.send(
    new PutObjectCommand({ Bucket: master.bucket, Key: objectKey(claim.s3_path), Body: "1234567" }),
  );
  const report = successReport(claim, 7);
  const answers = await inParallel(() => node.client.request("POST", "/backups/", { body: report }), 10);
  expect(tally(answers)).toEqual({ "200": 10 });
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  const { items } = await master.admin.call("listBackups", { query: { site_id: siteId } });
  expect(items).toHaveLength(1);
});

test("a success and a failure at once: the job has one of the two ends", async () => {
  const { siteId, jobId } = await startedJob("ends");
  const claim = await node.client.call("claimJob", { id: jobId, body: claimBody(siteId) });
  await master.s3.send(
    new PutObjectCommand({ Bucket: master.bucket, Key: objectKey(claim.s3_path), Body: "1234567" }),
  );
  const bodies = [successReport(claim, 7), failureReport(claim)];
  const answers = await inParallel(
    (index) => node.client.request("POST", "/backups/", { body: bodies[index % 2] }),
    8,
  );
  expect(tally(answers)).toEqual({ "200": 4, lease_lost: 4 });
  const job = await master.admin.call("getJob", { id: jobId });
  const { items } = await master.admin.call("listBackups", { query: { site_id: siteId } });
  expect(items).toHaveLength(job.state === "succeeded" ? 1 : 0);
});

test("10 sites of one name at once: one site", async () => {
  const answers = await inParallel(
    (index) =>
      master.admin.request("POST", "/sites", {
        body: { node_id: node.id, name: index % 2 === 0 ? "twin" : "TWIN", path: `/srv/${index}` },
      }),
    10,
  );
  expect(tally(answers)).toEqual({ "201": 1, conflict: 9 });
});

test("removing a node while a site comes to it: never a site without its node", async () => {
  for (let round = 0; round < 5; round += 1) {
    const other = await master.enrolNode(`leaving-${round}`);
    const [site, removal] = await Promise.all([
      master.admin.request("POST", "/sites", { body: { node_id: other.id, name: "late", path: "/late" } }),
      master.admin.request("DELETE", `/nodes/${other.id}`),
    ]);
    expect([site.status === 201, removal.status === 204].filter(Boolean)).toHaveLength(1);
  }
});
