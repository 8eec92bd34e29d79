// The control side against the real Master, its real queue and its real storage: what the fake one cannot prove.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fields } from "#functions/telemetry/log.ts";
import { composeRunner, type Engine } from "#runner/compose.ts";
import type { JobContext } from "#runner/context.ts";
import { type DaemonDeps, runDaemon } from "#runner/daemon.ts";
import { enroll } from "#runner/enroll.ts";
import { createMasterClient } from "#runner/io/master-client.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import { runOnce } from "#runner/run-once.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import { objectKey } from "#shared/object-key.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { type RecordedLog, recordedLog, successOf, tempDir, untilAborted } from "./harness.ts";

let master: Master;
let said: Fields[];
let temp: Awaited<ReturnType<typeof tempDir>>;
let dir: string;
let site: Site;
let stop: AbortController;
let log: RecordedLog;

beforeAll(async () => {
  const say = (message: string, fields?: Fields): void => void said.push({ message, ...fields });
  master = await startMaster({ deps: { log: { info: say, warn: say, error: say } } });
});
afterAll(() => master.close());

beforeEach(async () => {
  temp = await tempDir();
  dir = join(temp.path, "state");
  stop = new AbortController();
  log = recordedLog();
  said = [];
  const { token } = await master.admin.call("createEnrollmentToken", { body: {} });
  const now = (): Date => new Date();
  const client = createMasterClient({ masterUrl: master.url, now, timeoutMs: 5_000, userAgent: "test" });
  const request = { masterUrl: master.url, token, name: "node", force: false };
  const identity = await enroll(request, {
    state: await openStateDir(dir),
    master: client,
    now,
    version: "0",
  });
  site = await master.createSite(identity.node_id, "shop.example.com");
});
afterEach(() => temp[Symbol.asyncDispose]());

async function runner(runBackup: Engine["runBackup"]): Promise<DaemonDeps> {
  const settings = { stateDir: dir, logFormat: undefined, logLevel: "debug" as const, siteRoots: [] };
  const engine: Engine = {
    runBackup,
    abortUpload: async () => undefined,
    uploadFate: async () => ({ kind: "open" }),
  };
  const options = { settings, engine, log: log.log, version: "0.0.0", stop: stop.signal };
  return (await composeRunner(options)).daemon;
}

/** Puts an object of the reported size where the claim says, with the node's own credentials. */
async function uploadAndSucceed(job: JobContext): Promise<ReturnType<typeof successOf>> {
  const { bucket, region, endpoint } = job.config.storage;
  const s3 = new S3Client({
    region,
    credentials: job.s3Credentials,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  });
  const Key = objectKey(job.claim.s3_path);
  const { ETag = "" } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "x".repeat(1000) }));
  s3.destroy();
  const report = successOf(job);
  return report.status === "success" ? { ...report, archive: { ...report.archive, etag: ETag } } : report;
}

describe("run-once", () => {
  test("makes its own job, works on every active site, and the record is there", async () => {
    const outcomes = await runOnce(
      { site: undefined, full: false },
      stop.signal,
      await runner(uploadAndSucceed),
    );
    expect(outcomes).toMatchObject([{ status: "success" }]);
    const { items } = await master.admin.call("listBackups", { query: { site_id: site.id } });
    expect(items).toMatchObject([{ job_id: outcomes[0]?.jobId, size_bytes: 1000, trigger: "manual" }]);
    expect(await readdir(join(dir, "spool"))).toEqual([]);
    expect(log.events()).toContain("outbox.sent");
  });

  test("reports a failure with its code", async () => {
    const failing = await runner(async () => {
      throw new BackupError("db_access_denied", { detail: "user shop" });
    });
    expect(await runOnce({ site: site.name, full: false }, stop.signal, failing)).toMatchObject([
      { status: "failed" },
    ]);
    const status = await master.admin.call("getBackupStatus", { id: site.id });
    expect(status.last).toMatchObject({
      state: "failed",
      error: { code: "db_access_denied", message: "user shop" },
    });
  });

  test("stopped by hand ends the job as cancelled, so that the site is free again", async () => {
    const stopping = await runner((job) => {
      stop.abort(new BackupError("interrupted"));
      return untilAborted(job);
    });
    expect(await runOnce({ site: site.id, full: false }, stop.signal, stopping)).toMatchObject([
      { status: "cancelled" },
    ]);
    expect(await master.admin.call("getBackupStatus", { id: site.id })).toMatchObject({
      active: null,
      last: { state: "cancelled" },
    });
  });

  test("is told when the site is being backed up already", async () => {
    await master.admin.call("startBackup", { id: site.id, body: {} });
    const [outcome] = await runOnce(
      { site: site.id, full: false },
      stop.signal,
      await runner(uploadAndSucceed),
    );
    expect(outcome).toMatchObject({ status: "failed", error: { code: "backup_in_progress" } });
  });
});

describe("the daemon", () => {
  async function during(runBackup: Engine["runBackup"], meanwhile: () => Promise<void>): Promise<void> {
    const running = runDaemon(stop.signal, await runner(runBackup));
    try {
      await meanwhile();
    } finally {
      stop.abort(new BackupError("interrupted"));
      await running;
    }
  }

  test("takes a job that an operator started, and the node is seen", async () => {
    await during(uploadAndSucceed, async () => {
      const { job_id } = await master.admin.call("startBackup", { id: site.id, body: {} });
      await log.until("outbox.sent");
      expect(await master.admin.call("getJob", { id: job_id })).toMatchObject({ state: "succeeded" });
      const node = await master.admin.call("getNode", { id: site.node_id });
      expect(node).toMatchObject({ version: "0.0.0" });
      expect(node.disk_free_bytes).toBeGreaterThan(0);
    });
  });

  test("and the Master tell of a job by one id, from the call that started it to its report", async () => {
    await during(uploadAndSucceed, async () => {
      const correlationId = "deploy-2027/11.shop";
      const started = await master.admin.request("POST", `/sites/${site.id}/backup/start`, {
        headers: { "x-correlation-id": correlationId },
      });
      expect(started.headers.get("x-correlation-id")).toBe(correlationId);
      const jobId = String(started.json.job_id);
      await log.until("outbox.sent");
      const ofJob = log.lines().filter((line) => line["job_id"] === jobId);
      expect(ofJob.map(({ event }) => event)).toEqual(
        expect.arrayContaining(["job.started", "job.ended", "outbox.sent"]),
      );
      for (const line of ofJob) expect(line).toMatchObject({ correlation_id: correlationId });
      const calls = said.filter((line) => line["correlation_id"] === correlationId);
      expect(calls.map(({ operation, job_id }) => [operation, job_id])).toEqual(
        expect.arrayContaining([
          ["startBackup", jobId],
          ["claimJob", jobId],
          ["reportBackup", jobId],
        ]),
      );
      const job = await master.admin.call("getJob", { id: jobId });
      expect(job).toMatchObject({ state: "succeeded", correlation_id: correlationId });
      const { items } = await master.admin.call("listActivity");
      expect(items.find(({ target }) => target.id === jobId)).toMatchObject({
        correlation_id: correlationId,
      });
    });
  });

  test("follows a scheduled job by the execution of its schedule", async () => {
    await during(uploadAndSucceed, async () => {
      const scheduled_time = new Date(Date.now() - 60_000).toISOString();
      const message = { v: 1, type: "backup", trigger: "schedule", site_id: site.id, scheduled_time };
      const { queue } = await (await runner(uploadAndSucceed)).source.current();
      const MessageBody = JSON.stringify({ ...message, execution_id: "d32c5kddcf5bb8c3" });
      await master.sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody }));
      const { job_id: id } = await log.until("outbox.sent");
      expect(await master.admin.call("getJob", { id: String(id) })).toMatchObject({
        correlation_id: "d32c5kddcf5bb8c3",
      });
      expect(log.find("job.started")).toMatchObject({ correlation_id: "d32c5kddcf5bb8c3" });
    });
  });

  test("stops a job that an operator stopped", async () => {
    const work = async (job: JobContext): Promise<never> => {
      await master.admin.call("stopBackup", { id: site.id });
      // The next beat would tell it; so does any renewal.
      await job.lease.renew().catch(() => undefined);
      return untilAborted(job);
    };
    await during(work, async () => {
      const { job_id } = await master.admin.call("startBackup", { id: site.id, body: {} });
      await log.until("outbox.sent");
      expect(await master.admin.call("getJob", { id: job_id })).toMatchObject({ state: "cancelled" });
    });
  });

  test("gives a scheduled job back when it is stopped, and the next start takes it at once", async () => {
    const { source } = await runner(untilAborted);
    const message = {
      v: 1,
      type: "backup",
      trigger: "schedule",
      site_id: site.id,
      scheduled_time: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      execution_id: "e1",
    };
    const QueueUrl = (await source.current()).queue.url;
    await master.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
    await during(untilAborted, async () => {
      await log.until("job.started");
    });
    expect(log.events()).toContain("job.released");
    stop = new AbortController();
    log = recordedLog();
    await during(uploadAndSucceed, async () => {
      await log.until("outbox.sent");
      const { last } = await master.admin.call("getBackupStatus", { id: site.id });
      expect(last).toMatchObject({ state: "succeeded", attempt: 1, trigger: "schedule" });
    });
  });
});
