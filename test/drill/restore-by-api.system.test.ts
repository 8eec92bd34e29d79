// The restore drill from the dashboard's side: a real WordPress is backed up, ruined, and brought back by a job that the
// API starts and the daemon works on; then the job is undone; and the backup is verified, and proved, by one.
import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { runProgram } from "#local/run-program.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import { canCage } from "#test/helpers/can-cage.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";

let fleet: Fleet;
let backupId: string;
let dumpBefore: string;
beforeAll(async () => {
  fleet = await startFleet();
  // The first visits have WordPress write things down.
  for (let visits = 0; visits < 2; visits += 1) await (await fetch(fleet.demo.siteUrl)).text();
  dumpBefore = await dump();
  await runProgram("cp", ["-a", fleet.demo.siteDir, join(fleet.dir, "reference")]);
  await fleet.startDaemon();
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
