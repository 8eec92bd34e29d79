// Jobs that are no backups, from the real Master through the queue to a run function and back.
import { join } from "node:path";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { composeRunner } from "#runner/compose.ts";
import type { JobContext, JobRuns } from "#runner/context.ts";
import { runDaemon } from "#runner/daemon.ts";
import { enroll } from "#runner/enroll.ts";
import { tokenSigner } from "#runner/io/identity.ts";
import { createMasterClient } from "#runner/io/master-client.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import type { JobReport } from "#shared/contracts/restores.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import { apiClient } from "#test/helpers/api-client.ts";
import { type FinishedBackup, finishBackup } from "#test/helpers/finished-backup.ts";
import { RESTORED, verified } from "#test/helpers/job-reports.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { type RecordedLog, recordedLog, tempDir, untilAborted } from "./harness.ts";

let master: Master;
let temp: Awaited<ReturnType<typeof tempDir>>;
let node: Pick<TestNode, "client">;
let site: Site;
let backup: FinishedBackup;
let stop: AbortController;
let log: RecordedLog;
const now = (): Date => new Date();

beforeAll(async () => {
  // Progress is sent often, so that a cancel is heard soon.
  master = await startMaster({ env: { PROGRESS_SECONDS: "0.05" } });
});
afterAll(() => master.close());

beforeEach(async () => {
  temp = await tempDir();
  stop = new AbortController();
  log = recordedLog();
  const { token } = await master.admin.call("createEnrollmentToken", { body: {} });
  const client = createMasterClient({ masterUrl: master.url, now, timeoutMs: 5_000, userAgent: "test" });
  const request = { masterUrl: master.url, token, name: "node", force: false };
  const state = await openStateDir(join(temp.path, "state"));
  const identity = await enroll(request, { state, master: client, now, version: "0" });
  site = await master.createSite(identity.node_id);
  node = { client: apiClient(master.url, tokenSigner(identity, now)) };
  backup = await finishBackup(master, node, site.id);
});
afterEach(() => temp[Symbol.asyncDispose]());

/** Runs the daemon until it has logged that. */
async function runUntil(event: string, runJobs: JobRuns, meanwhile?: () => Promise<unknown>): Promise<void> {
  const engine = {
    runBackup: () => Promise.reject(new Error("no backup was asked for")),
    abortUpload: async () => undefined,
    uploadFate: async () => ({ kind: "open" as const }),
    runJobs,
  };
  const settings = {
    stateDir: join(temp.path, "state"),
    logFormat: undefined,
    logLevel: "debug" as const,
    siteRoots: [],
  };
  const parts = { settings, engine, log: log.log, version: "0.0.0", stop: stop.signal };
  const running = runDaemon(stop.signal, (await composeRunner(parts)).daemon);
  await meanwhile?.();
  await log.until(event);
  stop.abort(new BackupError("interrupted"));
  await running;
}

function base(job: JobContext) {
  const at = job.now().toISOString();
  const stages = job.stages.times();
  const { fencing } = job.claim;
  return {
    site_id: job.site.id,
    fencing,
    started_at: at,
    finished_at: at,
    stages,
    warnings: [],
    warnings_total: 0,
  };
}

async function send(message: unknown): Promise<void> {
  const QueueUrl = String((await node.client.call("getNodeConfig")).queue.url);
  await master.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
}

const jobOf = (id: string): Promise<Job> => master.admin.call("getJob", { id });

test("a restore gets its archive and what was asked for, and its result goes to the record", async () => {
  const body = { paths: ["wp-content/uploads"], dry_run: true };
  const { job_id: id } = await master.admin.call("restoreBackup", { id: backup.id, body });
  let seen: JobContext["claim"] | undefined;
  const restore = async (job: JobContext): Promise<JobReport> => {
    seen = job.claim;
    job.stages.enter("extract");
    return { ...base(job), status: "success", restore: RESTORED };
  };
  await runUntil("outbox.sent", { restore });
  expect(seen?.job.request).toMatchObject({ type: "restore", ...body });
  expect(await (await fetch(String(seen?.source?.url))).text()).toBe("1234567");
  expect(await jobOf(id)).toMatchObject({ state: "succeeded", result: { restore: RESTORED } });
});

test("a verification that finds something fails with it", async () => {
  const { job_id: id } = await master.admin.call("verifyBackup", { id: backup.id, body: { deep: true } });
  const findings = [{ code: "table_missing", message: "wp_posts" }];
  const verify = async (job: JobContext): Promise<JobReport> => {
    const error = { code: "archive_corrupt", message: "it is damaged" };
    return { ...base(job), status: "failed", error, findings };
  };
  await runUntil("outbox.sent", { verify });
  expect(await jobOf(id)).toMatchObject({ state: "failed", findings });
  const record = await master.admin.call("getBackup", { id: backup.id });
  expect(record.verification_failed).toMatchObject({ job_id: id, deep: true, findings });
});

test("a scheduled proof is claimed as one", async () => {
  const scheduled_time = now().toISOString();
  const message = { v: 1, type: "verify", trigger: "schedule", site_id: site.id, scheduled_time };
  const verify = async (job: JobContext): Promise<JobReport> => ({
    ...base(job),
    status: "success",
    verify: verified(true),
  });
  await runUntil("outbox.sent", { verify }, () => send({ ...message, execution_id: "1" }));
  expect((await master.admin.call("getBackup", { id: backup.id })).proved_at).not.toBeNull();
});

test("a cancel reaches the run function, and the job ends as cancelled", async () => {
  const { job_id: id } = await master.admin.call("undoRestore", { id: site.id, body: {} });
  const undo = async (job: JobContext): Promise<JobReport> => {
    await master.admin.call("cancelJob", { id });
    return untilAborted(job);
  };
  await runUntil("outbox.sent", { undo });
  expect(await jobOf(id)).toMatchObject({ type: "undo", state: "cancelled" });
});

test("an error of the run function is the job's, with its code", async () => {
  const { job_id: id } = await master.admin.call("restoreBackup", { id: backup.id, body: {} });
  const restore = () => Promise.reject(new BackupError("disk_full", { detail: "2 GB are missing" }));
  await runUntil("outbox.sent", { restore });
  const error = { code: "disk_full", message: "2 GB are missing" };
  expect(await jobOf(id)).toMatchObject({ state: "failed", error });
});

test("a job that this backupd cannot do fails at once and says what to do", async () => {
  const { job_id: id } = await master.admin.call("restoreBackup", { id: backup.id, body: {} });
  await runUntil("outbox.sent", {});
  const { state, error } = await jobOf(id);
  expect([state, error?.code]).toEqual(["failed", "job_type_unknown"]);
  expect(error?.hint).toContain("Master's version");
});
