// Jobs that are no backups, from the real Master through the queue to a run function and back.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { JobContext } from "#runner/context.ts";
import { jobReportBase } from "#runner/job-report.ts";
import type { JobReport } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { RESTORED, verified } from "#test/helpers/job-reports.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { untilAborted } from "./harness.ts";
import { type JobRig, startJobRig } from "./job-rig.ts";

let master: Master;
let rig: JobRig;
beforeAll(async () => {
  // Progress is sent often, so that a cancel is heard soon.
  master = await startMaster({ env: { PROGRESS_SECONDS: "0.05" } });
});
afterAll(() => master.close());
beforeEach(async () => {
  rig = await startJobRig(master);
});
afterEach(() => rig[Symbol.asyncDispose]());

const base = (job: JobContext) => jobReportBase(job, job.now());

test("a restore gets its archive and what was asked for, and its result goes to the record", async () => {
  const body = { paths: ["wp-content/uploads"], dry_run: true };
  const { job_id: id } = await master.admin.call("restoreBackup", { id: rig.backup.id, body });
  let seen: JobContext["claim"] | undefined;
  const restore = async (job: JobContext): Promise<JobReport> => {
    seen = job.claim;
    job.stages.enter("extract");
    return { ...base(job), status: "success", restore: RESTORED };
  };
  await rig.work({ restore });
  expect(seen?.job.request).toMatchObject({ type: "restore", ...body });
  expect(await (await fetch(String(seen?.source?.url))).text()).toBe("1234567");
  expect(await rig.jobOf(id)).toMatchObject({ state: "succeeded", result: { restore: RESTORED } });
});

test("a verification that finds something fails with it", async () => {
  const { id: backupId } = rig.backup;
  const { job_id: id } = await master.admin.call("verifyBackup", { id: backupId, body: { deep: true } });
  const findings = [{ code: "table_missing", message: "wp_posts" }];
  const verify = async (job: JobContext): Promise<JobReport> => {
    const error = { code: "archive_corrupt", message: "it is damaged" };
    return { ...base(job), status: "failed", error, findings };
  };
  await rig.work({ verify });
  expect(await rig.jobOf(id)).toMatchObject({ state: "failed", findings });
  const record = await master.admin.call("getBackup", { id: backupId });
  expect(record.verification_failed).toMatchObject({ job_id: id, deep: true, findings });
});

test("a scheduled proof is claimed as one", async () => {
  const scheduled_time = new Date().toISOString();
  const message = { v: 1, type: "verify", trigger: "schedule", site_id: rig.site.id, scheduled_time };
  const verify = async (job: JobContext): Promise<JobReport> => ({
    ...base(job),
    status: "success",
    verify: verified(true),
  });
  await rig.work({ verify }, () => rig.send({ ...message, execution_id: "1" }));
  expect((await master.admin.call("getBackup", { id: rig.backup.id })).proved_at).not.toBeNull();
});

test("a cancel reaches the run function, and the job ends as cancelled", async () => {
  const { job_id: id } = await master.admin.call("undoRestore", { id: rig.site.id, body: {} });
  const undo = async (job: JobContext): Promise<JobReport> => {
    await master.admin.call("cancelJob", { id });
    return untilAborted(job);
  };
  await rig.work({ undo });
  expect(await rig.jobOf(id)).toMatchObject({ type: "undo", state: "cancelled" });
});

test("an error of the run function is the job's, with its code", async () => {
  const { job_id: id } = await master.admin.call("restoreBackup", { id: rig.backup.id, body: {} });
  const restore = () => Promise.reject(new BackupError("disk_full", { detail: "2 GB are missing" }));
  await rig.work({ restore });
  const error = { code: "disk_full", message: "2 GB are missing" };
  expect(await rig.jobOf(id)).toMatchObject({ state: "failed", error });
});

test("a job that this backupd cannot do fails at once and says what to do", async () => {
  const { job_id: id } = await master.admin.call("restoreBackup", { id: rig.backup.id, body: {} });
  await rig.work({});
  const { state, error } = await rig.jobOf(id);
  expect([state, error?.code]).toEqual(["failed", "job_type_unknown"]);
  expect(error?.hint).toContain("Master's version");
});
