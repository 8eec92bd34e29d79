// Messages that come twice, runners that come twice, and a runner that wakes up after another took its job: whatever
// is delivered or done more than once, there is one job, one record and one object.
import { copyFile, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BackupdProcess, startBackupd } from "#local/backupd-process.ts";
import type { JobMessage } from "#shared/contracts/jobs.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { endLease } from "./end-lease.ts";
import { holdS3, until } from "./hold.ts";
import { jobIn, type NodeQueue, nodeQueue, scheduledMessage } from "./node-queue.ts";
import { backupsOf, eventsOf, expectSettled, objectKeys, untilLogged } from "./settled.ts";

let fleet: Fleet;
let queue: NodeQueue;
let twinDir: string;

beforeAll(async () => {
  // Longer than a busy machine keeps a runner from its next beat, and over while a test waits for what it hides.
  fleet = await startFleet({ stack: { env: { LEASE_SECONDS: "12" } } });
  queue = await nodeQueue(fleet);
  // The same node once more, as after a server was cloned with its state directory.
  twinDir = join(fleet.dir, "twin");
  await mkdir(join(twinDir, "state"), { recursive: true, mode: 0o700 });
  await copyFile(join(fleet.stateDir, "identity.json"), join(twinDir, "state", "identity.json"));
});
afterAll(async () => {
  queue?.[Symbol.dispose]();
  await fleet?.[Symbol.asyncDispose]();
});

const startOriginal = (): Promise<BackupdProcess> =>
  startBackupd({ stateDir: fleet.stateDir, runDir: fleet.dir });
const twinState = (): string => join(twinDir, "state");
const startTwin = (): Promise<BackupdProcess> => startBackupd({ stateDir: twinState(), runDir: twinDir });
const bothStates = (): string[] => [fleet.stateDir, twinState()];

const manualMessage = (jobId: string): JobMessage => ({
  v: 1,
  type: "backup",
  trigger: "manual",
  site_id: fleet.siteId,
  job_id: jobId,
});

async function untilQueueEmpty(): Promise<void> {
  await until("an empty queue", async () => (await queue.length()) === 0);
}

describe("a message that is delivered twice", () => {
  it("makes one backup, whether its copy comes while the job runs or after it ended", async () => {
    using upload = holdS3(fleet, "UploadPart");
    await using original = await startOriginal();
    const jobId = await fleet.start();
    await upload.reached();
    await queue.send(manualMessage(jobId));
    upload.release();
    expect(await fleet.waitForJob(jobId)).toMatchObject({ state: "succeeded", attempt: 1 });
    await untilQueueEmpty();

    await queue.send(manualMessage(jobId));
    await untilQueueEmpty();
    const refusals = (await eventsOf(original.logFile)).filter(({ event }) => event === "claim.refused");
    expect(refusals.map(({ error, job_id }) => [job_id, error?.code])).toEqual([
      [jobId, "job_ended"],
      [jobId, "job_ended"],
    ]);
    expect(await backupsOf(fleet, jobId)).toHaveLength(1);
    await expectSettled(fleet);
  });

  it("is kept from a second runner for as long as the first one works on it", async () => {
    using upload = holdS3(fleet, "UploadPart");
    await using _original = await startOriginal();
    const jobId = await fleet.start();
    await upload.reached();
    await using twin = await startTwin();
    await queue.send(manualMessage(jobId));
    const { error } = await untilLogged(twin.logFile, "claim.postponed", jobId);
    expect(error?.code).toBe("lease_held");
    upload.release();
    expect(await fleet.waitForJob(jobId)).toMatchObject({ state: "succeeded", attempt: 1 });
    await untilQueueEmpty();
    expect(await backupsOf(fleet, jobId)).toHaveLength(1);
    await expectSettled(fleet, bothStates());
  });

  it("of a schedule is one job, though each delivery attempt has an execution id of its own", async () => {
    const { jobId, message } = scheduledMessage(fleet.siteId);
    const jobsBefore = (await fleet.operator.call("listJobs")).items.length;
    await queue.send(message);
    await queue.send({ ...message, execution_id: "second-attempt" } as JobMessage);
    await using _original = await startOriginal();
    expect(await jobIn(fleet, jobId, "succeeded")).toMatchObject({ trigger: "schedule", attempt: 1 });
    await untilQueueEmpty();
    expect((await fleet.operator.call("listJobs")).items).toHaveLength(jobsBefore + 1);
    expect(await backupsOf(fleet, jobId)).toHaveLength(1);
    await expectSettled(fleet);
  });
});

describe("two runners with one identity", () => {
  it("share the jobs of several sites, each once, though every message is there twice", async () => {
    const { demo, dir, nodeId, operator } = fleet;
    const siteIds: string[] = [];
    for (const name of ["one", "two", "three"]) {
      const path = join(dir, name);
      await symlink(demo.siteDir, path);
      const body = { node_id: nodeId, name: `${name}.example.com`, path };
      siteIds.push((await operator.call("createSite", { body })).id);
    }
    const scheduled = siteIds.map((siteId) => scheduledMessage(siteId));
    for (const { message } of [...scheduled, ...scheduled]) await queue.send(message);

    // Whoever is first has to stay with its job until the other one has a job, too.
    using upload = holdS3(fleet, "UploadPart");
    await using original = await startOriginal();
    await using twin = await startTwin();
    const jobIds = scheduled.map(({ jobId }) => jobId);
    const hasJob = async ({ logFile }: BackupdProcess): Promise<boolean> =>
      (await eventsOf(logFile)).some(
        ({ event, job_id = "" }) => event === "job.started" && jobIds.includes(job_id),
      );
    await until("each runner to have a job", async () => (await hasJob(original)) && (await hasJob(twin)));
    upload.release();
    for (const jobId of jobIds) expect(await jobIn(fleet, jobId, "succeeded")).toMatchObject({ attempt: 1 });
    await untilQueueEmpty();
    for (const site_id of siteIds) {
      expect((await operator.call("listBackups", { query: { site_id } })).items).toHaveLength(1);
    }
    await expectSettled(fleet, bothStates());
  });
});

describe("a zombie: stopped in the middle of its job, and waking up when another runner has it", () => {
  /** The holder of the job stands still from here on; a second runner gets the message and does the job. */
  async function takeOver(
    zombie: BackupdProcess,
    jobId: string,
    message: JobMessage,
  ): Promise<BackupdProcess> {
    process.kill(zombie.pid, "SIGSTOP");
    await endLease(jobId);
    // Visible again: its visibility ends some time after the last beat of a runner that stands still.
    await queue.send(message);
    return await startTwin();
  }

  async function untilReportRefused({ logFile }: BackupdProcess, jobId: string): Promise<void> {
    const rejected = await until("the zombie's report to be refused", async () =>
      (await eventsOf(logFile)).find(
        ({ event, file }) => event === "outbox.rejected" && file?.includes(jobId),
      ),
    );
    expect(rejected.error?.code).toBe("lease_lost");
  }

  it("finds its lease lost, and aborts its upload", async () => {
    const { jobId, message } = scheduledMessage(fleet.siteId);
    using upload = holdS3(fleet, "UploadPart");
    await using zombie = await startOriginal();
    await queue.send(message);
    const { key } = await upload.reached();
    await using _twin = await takeOver(zombie, jobId, message);
    await jobIn(fleet, jobId, "succeeded");
    expect((await fleet.stack.s3.inspect()).openUploads).toMatchObject([{ key }]);

    upload.release();
    process.kill(zombie.pid, "SIGCONT");
    const { error } = await untilLogged(zombie.logFile, "job.lost", jobId);
    expect(error?.code).toBe("lease_lost");
    expect(await backupsOf(fleet, jobId)).toHaveLength(1);
    expect(await objectKeys(fleet)).not.toContain(key);
    await expectSettled(fleet, bothStates());
  });

  it("whose upload is completed after all does not get it recorded, and the Master removes the object", async () => {
    const { jobId, message } = scheduledMessage(fleet.siteId);
    using completion = holdS3(fleet, "CompleteMultipartUpload");
    await using zombie = await startOriginal();
    await queue.send(message);
    // Sent right after the lease was renewed: the one moment that no check of the runner's can cover.
    const { key } = await completion.reached();
    await using _twin = await takeOver(zombie, jobId, message);
    await jobIn(fleet, jobId, "succeeded");
    completion.release();
    await until("the zombie's object", async () => (await objectKeys(fleet)).includes(key));

    process.kill(zombie.pid, "SIGCONT");
    await untilReportRefused(zombie, jobId);
    expect(await backupsOf(fleet, jobId)).toMatchObject([{ s3_path: expect.not.stringContaining(key) }]);
    await expectSettled(fleet, bothStates());
  });

  it("is refused just the same while the other runner is still at work", async () => {
    const { jobId, message } = scheduledMessage(fleet.siteId);
    using completion = holdS3(fleet, "CompleteMultipartUpload");
    await using zombie = await startOriginal();
    await queue.send(message);
    const { key } = await completion.reached();
    using upload = holdS3(fleet, "UploadPart", (other) => other !== key);
    await using _twin = await takeOver(zombie, jobId, message);
    await upload.reached();
    completion.release();
    await until("the zombie's object", async () => (await objectKeys(fleet)).includes(key));

    process.kill(zombie.pid, "SIGCONT");
    await untilReportRefused(zombie, jobId);
    upload.release();
    await jobIn(fleet, jobId, "succeeded");
    expect(await backupsOf(fleet, jobId)).toMatchObject([{ s3_path: expect.not.stringContaining(key) }]);
    await expectSettled(fleet, bothStates());
  });
});
