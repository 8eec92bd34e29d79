// kill -9 at each step of a backup, SIGTERM in the middle of one, and a full disk: after the restart nothing is left
// of what was under way, no backup is listed that is not there, none that is there is lost, and the next one works.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BackupdProcess, startBackupd } from "#local/backupd-process.ts";
import { readProcessTable } from "#local/process-table.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { mountSmallDisk } from "#test/helpers/small-disk.ts";
import { endLease } from "./end-lease.ts";
import { holdS3, lockTable, until } from "./hold.ts";
import { jobIn, jobOf, type NodeQueue, nodeQueue, scheduledMessage } from "./node-queue.ts";
import { backupsOf, expectSettled, leftByRunner, objectKeys, outboxOf, untilLogged } from "./settled.ts";

let fleet: Fleet;
let queue: NodeQueue;

beforeAll(async () => {
  fleet = await startFleet({ stack: { env: { LEASE_SECONDS: "12" } } });
  queue = await nodeQueue(fleet);
});
afterEach(() => {
  fleet.proxy.fault = () => undefined;
  fleet.s3Wire.fault = () => undefined;
});
afterAll(async () => {
  queue?.[Symbol.dispose]();
  await fleet?.[Symbol.asyncDispose]();
});

const startDaemon = (): Promise<BackupdProcess> =>
  startBackupd({ stateDir: fleet.stateDir, runDir: fleet.dir });

/** kill -9 of backupd alone: its children and what it had open are left to themselves. */
async function killHard(daemon: BackupdProcess): Promise<void> {
  process.kill(daemon.pid, "SIGKILL");
  await until("backupd to be dead", () => daemon.hasEnded());
}

interface Stage {
  /** Resolves when the backup is in that stage and stays there. */
  reached(): Promise<unknown>;
  /** After the runner is dead. */
  end(): Promise<void> | void;
}

async function inDump(): Promise<Stage> {
  const lock = await lockTable(fleet, "shop_posts");
  return { reached: () => lock.dumpWaits(), end: () => lock.release() };
}

async function inOperation(operation: "UploadPart" | "CompleteMultipartUpload"): Promise<Stage> {
  const held = holdS3(fleet, operation);
  return { reached: () => held.reached(), end: () => held[Symbol.dispose]() };
}

describe("kill -9", () => {
  it.each([
    { when: "while the database is dumped", uploads: 0, stageOf: inDump },
    { when: "while a part is on its way", uploads: 1, stageOf: () => inOperation("UploadPart") },
    {
      when: "right before the upload is completed",
      uploads: 1,
      stageOf: () => inOperation("CompleteMultipartUpload"),
    },
  ])(
    "$when: nothing is listed, everything is cleaned up, and the job is done again",
    async ({ stageOf, uploads }) => {
      const { jobId, message } = scheduledMessage(fleet.siteId);
      const stage = await stageOf();
      await using killed = await startDaemon();
      await queue.send(message);
      await stage.reached();
      await killHard(killed);
      await stage.end();

      // What there is to clean up, or the rest would prove nothing.
      const left = await leftByRunner(fleet.stateDir);
      expect(left.spool).toContain(jobId);
      expect(left.journal).toHaveLength(uploads);
      expect((await fleet.stack.s3.inspect()).openUploads).toHaveLength(uploads);
      expect(await jobOf(fleet, jobId)).toMatchObject({ state: "running" });
      expect(await backupsOf(fleet, jobId)).toEqual([]);
      await until("the programs of the dead runner to end", async () =>
        (await readProcessTable()).every(({ group, isZombie }) => group !== killed.pid || isZombie),
      );

      await using _restarted = await startDaemon();
      // By the start alone: the job's next attempt cleans up after itself, which would prove nothing.
      await expectSettled(fleet);
      await endLease(jobId);
      // As by the end of its visibility.
      await queue.send(message);
      expect(await jobIn(fleet, jobId, "succeeded")).toMatchObject({ attempt: 2, error: null });
      expect(await backupsOf(fleet, jobId)).toHaveLength(1);
      await expectSettled(fleet);
    },
  );

  it("while the report is in the outbox: the finished backup is listed after the restart", async () => {
    const { jobId, message } = scheduledMessage(fleet.siteId);
    const isReport = (method: string, path: string): boolean =>
      method === "POST" && path.startsWith("/api/v1/backups");
    let reports = 0;
    fleet.proxy.fault = (method, path) => {
      if (!isReport(method, path)) return undefined;
      reports += 1;
      return "reset";
    };
    await using killed = await startDaemon();
    await queue.send(message);
    await until("the report", () => reports > 0);
    await killHard(killed);
    expect(await outboxOf(fleet.stateDir)).toEqual([expect.stringContaining(jobId)]);
    expect(await backupsOf(fleet, jobId)).toEqual([]);

    fleet.proxy.fault = () => undefined;
    await using _restarted = await startDaemon();
    expect(await jobIn(fleet, jobId, "succeeded")).toMatchObject({ attempt: 1 });
    expect(await backupsOf(fleet, jobId)).toHaveLength(1);
    await expectSettled(fleet);
  });

  it("after the Master took the report and before the runner knows it: listed once", async () => {
    const { jobId, message } = scheduledMessage(fleet.siteId);
    await using killed = await startDaemon();
    fleet.proxy.fault = (method, path) => {
      // It has sent its report, and stands still before it can read the answer.
      if (method === "POST" && path.startsWith("/api/v1/backups")) process.kill(killed.pid, "SIGSTOP");
      return undefined;
    };
    await queue.send(message);
    await jobIn(fleet, jobId, "succeeded");
    await killHard(killed);
    expect(await outboxOf(fleet.stateDir)).toHaveLength(1);

    fleet.proxy.fault = () => undefined;
    await using restarted = await startDaemon();
    await untilLogged(restarted.logFile, "outbox.sent", jobId);
    expect(await backupsOf(fleet, jobId)).toHaveLength(1);
    await expectSettled(fleet);
  });
});

describe("SIGTERM in the middle of an upload", () => {
  it("ends backupd within 10 s, and the job is given back and done after the restart", async () => {
    await using daemon = await startDaemon();
    let jobId: string;
    {
      using upload = holdS3(fleet, "UploadPart");
      jobId = await fleet.start();
      await upload.reached();
      const askedMs = performance.now();
      await daemon.close();
      expect(performance.now() - askedMs).toBeLessThan(10_000);
    }
    expect(await jobOf(fleet, jobId)).toMatchObject({ state: "queued", error: { code: "interrupted" } });
    expect(await backupsOf(fleet, jobId)).toEqual([]);
    await expectSettled(fleet);

    // The message was given back, too: nobody sends it again.
    await using _restarted = await startDaemon();
    expect(await fleet.waitForJob(jobId)).toMatchObject({ state: "succeeded", error: null });
    expect(await backupsOf(fleet, jobId)).toHaveLength(1);
    await expectSettled(fleet);
  });
});

describe("a full disk", () => {
  it("under the spool fails the job with the remedy, before the dump or in it, and leaves nothing", async (test) => {
    await using disk = await mountSmallDisk(join(fleet.stateDir, "spool"), "4k", test);
    await using _daemon = await startDaemon();
    const failure = {
      state: "failed",
      error: { code: "disk_full", hint: expect.stringContaining("Free some space") },
    };
    expect(await fleet.waitForJob(await fleet.start())).toMatchObject(failure);
    await expectSettled(fleet);

    await disk.resize("256m");
    {
      await using lock = await lockTable(fleet, "shop_posts");
      const jobId = await fleet.start();
      await lock.dumpWaits();
      await disk.resize("4k");
      await lock.release();
      const job = await fleet.waitForJob(jobId);
      expect(job).toMatchObject(failure);
      // Not the estimate this time: the write itself.
      expect(job.error?.message).toContain("ENOSPC");
      await expectSettled(fleet);
    }

    await disk.resize("256m");
    expect(await fleet.waitForJob(await fleet.start())).toMatchObject({ state: "succeeded" });
    await expectSettled(fleet);
  });

  it("under the outbox does not hide how the job ended", async (test) => {
    const outbox = join(fleet.stateDir, "outbox");
    await using _disk = await mountSmallDisk(outbox, "4k", test);
    await mkdir(join(outbox, "rejected"));
    await writeFile(join(outbox, "filler"), Buffer.alloc(4096));
    await using _daemon = await startDaemon();
    const job = await fleet.waitForJob(await fleet.start());
    expect(job).toMatchObject({ state: "succeeded" });
    expect(await backupsOf(fleet, job.id)).toHaveLength(1);
  });
});

describe("kill -9 between the completion of the upload and the report", () => {
  it("lists the archive once, as the dead attempt would have reported it", async () => {
    const { jobId, message } = scheduledMessage(fleet.siteId);
    let completions = 0;
    fleet.s3Wire.fault = ({ operation }) => {
      if (operation !== "CompleteMultipartUpload") return undefined;
      completions += 1;
      return completions === 1 ? "reset-after" : undefined;
    };
    // The completion acts, its answer is lost, and the client asks once more.
    const again = holdS3(fleet, "CompleteMultipartUpload", () => completions > 0);
    await using killed = await startDaemon();
    await queue.send(message);
    const { key } = await again.reached();
    await killHard(killed);
    again[Symbol.dispose]();
    expect(await objectKeys(fleet)).toContain(key);
    expect(await backupsOf(fleet, jobId)).toEqual([]);

    await using restarted = await startDaemon();
    await queue.send(message);
    await untilLogged(restarted.logFile, "upload.report_found", jobId);
    expect(await jobIn(fleet, jobId, "succeeded")).toMatchObject({ attempt: 1 });
    const { objects } = await fleet.stack.s3.inspect();
    const bytes = objects.find((object) => object.key === key)?.bytes;
    expect(await backupsOf(fleet, jobId)).toMatchObject([{ s3_path: `/${key}`, size_bytes: bytes }]);
    await expectSettled(fleet);
    // What is recorded of it is right: the next backup copies from it.
    const next = await fleet.waitForJob(await fleet.start());
    expect(next).toMatchObject({ state: "succeeded" });
    expect(await objectKeys(fleet)).toContain(key);
  });
});
