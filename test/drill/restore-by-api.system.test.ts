// The restore drill from the dashboard's side: a real WordPress is backed up, ruined, and brought back by a job that the
// API starts and the daemon works on; then the job is undone; and the backup is verified, and proved, by one.
import { hash } from "node:crypto";
import { appendFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { BackupdProcess } from "#local/backupd-process.ts";
import { compareTrees } from "#local/compare-trees.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { runProgram } from "#local/run-program.ts";
import type { Job, Progress } from "#shared/contracts/jobs.ts";
import { endLease } from "#test/faults/end-lease.ts";
import { holdImports, untilWaitingForNamedLock } from "#test/faults/hanging-dump.ts";
import { type HeldOperation, holdS3, until } from "#test/faults/hold.ts";
import { untilLogged } from "#test/faults/settled.ts";
import { canCage } from "#test/helpers/can-cage.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";

let fleet: Fleet;
let daemon: BackupdProcess;
let backupId: string;
let dumpBefore: string;
beforeAll(async () => {
  fleet = await startFleet();
  // The first visits have WordPress write things down.
  for (let visits = 0; visits < 2; visits += 1) await (await fetch(fleet.demo.siteUrl)).text();
  dumpBefore = await dump();
  await runProgram("cp", ["-a", fleet.demo.siteDir, join(fleet.dir, "reference")]);
  daemon = await fleet.startDaemon();
  const job = await fleet.waitForJob(await fleet.start());
  expect(job).toMatchObject({ state: "succeeded" });
  backupId = String(job.backup_id);
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

async function dump(): Promise<string> {
  const file = join(fleet.dir, "compare.sql");
  await dumpForComparison(fleet.demo.mariadb, fleet.demo.db.name, file);
  return readFile(file, "utf8");
}

const differences = (): Promise<string[]> =>
  compareTrees(join(fleet.dir, "reference/wp-content"), join(fleet.demo.siteDir, "wp-content"), {
    excludedDirs: ["cache", "node_modules"],
    mtimeSlackNs: 300n,
  });

async function done(started: Promise<{ job_id: string }>): Promise<Job> {
  return fleet.waitForJob((await started).job_id);
}

const restore = (body: object): Promise<Job> =>
  done(fleet.operator.call("restoreBackup", { id: backupId, body }));

async function ruin(): Promise<void> {
  const { siteDir, mariadb, db } = fleet.demo;
  await rm(join(siteDir, "wp-content/uploads"), { recursive: true });
  await appendFile(join(siteDir, "wp-content/index.php"), "\n// hacked\n");
  await mariadb.exec(`USE ${db.name}; DELETE FROM shop_posts; CREATE TABLE shop_evil (id INT)`);
}

it("a dry run says what would come back, and changes nothing", async () => {
  await ruin();
  const ruined = [await differences(), await dump()];
  const job = await restore({ dry_run: true });
  expect(job).toMatchObject({ state: "succeeded", result: { restore: { dry_run: true, undo_until: null } } });
  expect(job.result?.restore?.files).toBeGreaterThan(100);
  expect([await differences(), await dump()]).toEqual(ruined);
});

it("the whole site comes back, and the job says how much that was and until when it can be undone", async () => {
  const job = await restore({});
  expect(job, JSON.stringify(job)).toMatchObject({ state: "succeeded", type: "restore" });
  expect(await differences()).toEqual([]);
  expect(await dump()).toBe(dumpBefore);
  const result = job.result?.restore;
  expect(result?.tables).toBeGreaterThan(10);
  expect(Date.parse(result?.undo_until ?? "")).toBeGreaterThan(Date.now());
  const page = await fetch(fleet.demo.siteUrl);
  expect([page.status, (await page.text()).includes("</html>")]).toEqual([200, true]);
});

it("an undo puts the ruined site back, and a second one has nothing to undo", async () => {
  const undo = () => done(fleet.operator.call("undoRestore", { id: fleet.siteId, body: {} }));
  expect(await undo()).toMatchObject({ state: "succeeded", type: "undo" });
  expect((await differences()).length).toBeGreaterThan(0);
  expect(await dump()).toContain("shop_evil");
  expect(await undo()).toMatchObject({ state: "failed", error: { code: "nothing_to_undo" } });
});

it("one path comes back alone", async () => {
  expect(await restore({ paths: ["wp-content/uploads"] })).toMatchObject({ state: "succeeded" });
  expect(await differences()).toEqual([expect.stringContaining("index.php")]);
  expect(await dump()).toContain("shop_evil");
});

it("the database comes back alone, and what the backup does not have is named", async () => {
  const job = await restore({ only: ["db"] });
  expect(job.state).toBe("succeeded");
  const removed = { code: "tables_removed", message: expect.stringContaining("shop_evil") };
  expect(job.warnings).toEqual([removed]);
  expect(await dump()).toBe(dumpBefore);
  expect(await differences()).toEqual([expect.stringContaining("index.php")]);
});

it("a verification is kept with the backup", async () => {
  const job = await done(fleet.operator.call("verifyBackup", { id: backupId, body: {} }));
  expect(job).toMatchObject({ state: "succeeded", type: "verify" });
  const record = await fleet.operator.call("getBackup", { id: backupId });
  expect(record.verified_at).toBe(job.ended_at);
});

it("a deep one proves it: restored and booted beside the site, all rows counted, and the site is as it was", async () => {
  const before = [await differences(), await dump()];
  const job = await done(
    fleet.operator.call("verifyBackup", { id: backupId, body: { deep: true, boot: true } }),
  );
  expect(job, JSON.stringify(job)).toMatchObject({ state: "succeeded", type: "verify", warnings: [] });
  const record = await fleet.operator.call("getBackup", { id: backupId });
  expect(record).toMatchObject({ verified_at: job.ended_at, proved_at: job.ended_at });
  expect(record.proof).toMatchObject({ deep: true, files: record.archive.files });
  // Not everybody may lock it up; the demo has a WordPress that answers.
  const { boot_status, boot_skipped } = record.proof ?? {};
  expect([boot_status, boot_skipped]).toEqual((await canCage()) ? [200, null] : [null, expect.any(String)]);
  expect(record.proof?.rows).toBeGreaterThan(100);
  expect(record.proof?.restore_seconds).toBeGreaterThan(0);
  expect([await differences(), await dump()]).toEqual(before);
  expect((await fleet.leftovers()).spoolFiles).toEqual([]);
});

describe("a job that is stopped or killed", () => {
  /** Files and database before the restore: the ruined site. */
  let ruined: string;
  beforeAll(async () => {
    await ruin();
    ruined = await siteState();
  });
  afterEach(() => {
    fleet.proxy.fault = () => undefined;
  });

  const siteState = async (): Promise<string> =>
    JSON.stringify([await differences(), hash("sha256", await dump())]);
  const start = async (): Promise<string> =>
    (await fleet.operator.call("restoreBackup", { id: backupId, body: {} })).job_id;
  const startUndo = async (): Promise<string> =>
    (await fleet.operator.call("undoRestore", { id: fleet.siteId, body: {} })).job_id;
  /** With how much there is to do, which is known before the first byte is. */
  async function inStage(id: string, stage: string): Promise<Progress> {
    const isThere = ({ progress }: Job): boolean =>
      progress?.stage === stage && progress.bytes_total !== null;
    const { progress } = await fleet.waitForJob(id, isThere);
    if (progress === null) throw new Error("a job in a stage has progress");
    return progress;
  }
  const cancel = (id: string): Promise<unknown> => fleet.operator.call("cancelJob", { id });
  /** The reading of content, not of the index at the archive's end. */
  const holdReading = (): HeldOperation =>
    holdS3(fleet, "GetObject", (_key, { range }) => range?.startsWith("bytes=0-") === true);
  /** Journals, and what is not removed yet, of restores in the state directory and the site. */
  async function leftOfRestores(): Promise<string[]> {
    const inState = await readdir(join(fleet.stateDir, "restores"));
    const inSite = await readdir(fleet.demo.siteDir);
    return [
      ...inState.filter((name) => !name.endsWith(".lock")),
      ...inSite.filter((name) => /^\.(?:backupd|maintenance)/.test(name)),
      ...(await readdir(join(fleet.stateDir, "spool"))),
    ];
  }
  async function killDaemon(): Promise<void> {
    process.kill(daemon.pid, "SIGKILL");
    await until("backupd to be dead", () => daemon.hasEnded());
  }

  it("cancelled while it reads the archive, it has changed nothing and leaves nothing", async () => {
    const before = await leftOfRestores();
    {
      using held = holdReading();
      const id = await start();
      await held.reached();
      expect((await inStage(id, "extract")).bytes_done).toBe(0);
      await cancel(id);
      expect(await fleet.waitForJob(id)).toMatchObject({ state: "cancelled" });
    }
    expect(await siteState()).toBe(ruined);
    expect(await leftOfRestores()).toEqual(before);
  });

  it("cancelled while it imports, it has put the old site back", async () => {
    const before = await leftOfRestores();
    let id: string;
    {
      await using _imports = await holdImports(fleet.demo);
      id = await start();
      await untilWaitingForNamedLock(fleet.demo);
      const { percent } = await inStage(id, "import");
      expect(percent).toBeGreaterThan(40);
      expect(percent).toBeLessThan(100);
      expect((await fetch(fleet.demo.siteUrl)).status).toBe(503);
      await cancel(id);
      await untilLogged(daemon.logFile, "lease.ended", id);
    }
    expect(await fleet.waitForJob(id)).toMatchObject({ state: "cancelled" });
    expect(await siteState()).toBe(ruined);
    expect(await leftOfRestores()).toEqual(before);
  });

  it.each([{ deep: false }, { deep: true }])("a cancelled verification marks nothing: %o", async (body) => {
    const record = await fleet.operator.call("getBackup", { id: backupId });
    {
      using held = holdReading();
      const id = (await fleet.operator.call("verifyBackup", { id: backupId, body })).job_id;
      await held.reached();
      await inStage(id, body.deep ? "extract" : "read");
      await cancel(id);
      expect(await fleet.waitForJob(id)).toMatchObject({ state: "cancelled" });
    }
    const { verified_at, proved_at, verification_failed } = record;
    expect(await fleet.operator.call("getBackup", { id: backupId })).toMatchObject({
      ...{ verified_at, proved_at, verification_failed },
    });
    expect((await fleet.leftovers()).spoolFiles).toEqual([]);
  });

  it.each([
    { why: "cancelled", stop: cancel },
    {
      why: "without its lease",
      async stop() {
        const body = JSON.stringify({ code: "lease_lost", title: "lost", status: 409 });
        fleet.proxy.fault = (method) => (method === "PATCH" ? { status: 409, body } : undefined);
      },
    },
  ])("an undo that is $why in the middle of its import is brought to its end", async ({ stop }) => {
    expect(await fleet.waitForJob(await start())).toMatchObject({ state: "succeeded" });
    expect(await siteState()).not.toBe(ruined);
    let id: string;
    {
      await using _imports = await holdImports(fleet.demo);
      id = await startUndo();
      await untilWaitingForNamedLock(fleet.demo);
      await inStage(id, "undo");
      await stop(id);
      await untilLogged(daemon.logFile, "lease.ended", id);
      fleet.proxy.fault = () => undefined;
    }
    expect(await fleet.waitForJob(id)).toMatchObject({ state: "succeeded", type: "undo" });
    expect(await siteState()).toBe(ruined);
    expect(await leftOfRestores()).toEqual([]);
  });

  it.each([
    {
      when: "reads the archive",
      async hold(): Promise<AsyncDisposable> {
        const held = holdReading();
        return { [Symbol.asyncDispose]: async () => held[Symbol.dispose]() };
      },
      stage: "extract",
    },
    { when: "imports", hold: () => holdImports(fleet.demo), stage: "import" },
  ])("kill -9 of the daemon while a restore $when: the next one has the old site back", async (how) => {
    let id: string;
    {
      await using _held = await how.hold();
      id = await start();
      await inStage(id, how.stage);
      await killDaemon();
    }
    daemon = await fleet.startDaemon();
    await until("the journals to go", async () => (await leftOfRestores()).length === 0);
    expect(await siteState()).toBe(ruined);
    // Nobody wants it by surprise: it is not tried again.
    await endLease(id);
    expect(await fleet.waitForJob(id)).toMatchObject({ state: "failed", error: { code: "runner_lost" } });
  });

  it("kill -9 of the daemon before a restore is reported: the next one reports it, and undo works", async () => {
    let reports = 0;
    fleet.proxy.fault = (method, path) => {
      if (method !== "POST" || !path.endsWith("/report")) return undefined;
      reports += 1;
      return "reset";
    };
    const id = await start();
    await until("the report", () => reports > 0);
    await killDaemon();
    fleet.proxy.fault = () => undefined;
    daemon = await fleet.startDaemon();
    expect(await fleet.waitForJob(id)).toMatchObject({ state: "succeeded" });
    expect(await differences()).toEqual([]);
    expect(await dump()).toBe(dumpBefore);
    expect(await fleet.waitForJob(await startUndo())).toMatchObject({ state: "succeeded" });
    expect(await siteState()).toBe(ruined);
  });
});
