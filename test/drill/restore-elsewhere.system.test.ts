// The restore drill into somewhere else: a real WordPress becomes another one, which has its own path, address, database,
// database account and system user; by command on the same node, and by a job on another one. Both are undone.
import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { chown, lchown, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureEnrolled, startBackupd } from "#local/backupd-process.ts";
import { servePhp } from "#local/demo/php-server.ts";
import { ensureDatabase, placeWordpress, runInstaller } from "#local/demo/wordpress.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import { type Fleet, runBackupd, startFleet } from "#test/helpers/fleet.ts";

/** Whoever they are on this machine. */
const [TARGET_USER, STRANGER] = [3301, 3302];
const isRoot = process.getuid?.() === 0;
const [SOURCE, TARGET, MOVED] = ["shop.example.com", "staging.example.com", "moved.example.com"];

let fleet: Fleet;
let stack: AsyncDisposableStack;
let targetDir: string;
let targetUrl: string;
let otherNode: { readonly stateDir: string; readonly siteId: string };
let backupId: string;
/** As the database has it, and with it the posts' links. */
let sourceUrl: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  fleet = stack.use(await startFleet());
  const { demo, dir } = fleet;
  // A stranger's number, as the uploads of a site have it that came from yet another machine.
  if (isRoot) await chown(join(demo.siteDir, "wp-content/plugins/index.php"), STRANGER, STRANGER);
  const home = `SELECT option_value FROM ${demo.db.name}.shop_options WHERE option_name = 'home'`;
  sourceUrl = (await demo.mariadb.exec(home)).trim();
  targetDir = join(dir, "elsewhere/htdocs");
  const php = stack.use(await servePhp({ siteDir: targetDir, port: 0, runDir: join(dir, "elsewhere") }));
  targetUrl = `http://127.0.0.1:${php.port}`;
  const db = { host: "127.0.0.1", port: demo.mariadb.port, name: "staging", user: "stager" };
  const password = randomBytes(12).toString("hex");
  await ensureDatabase(demo.mariadb, db.name, db.user, password);
  await placeWordpress(targetDir, { ...db, password }, php.port);
  await runInstaller(targetUrl, "The other site");
  if (isRoot) await giveTo(targetDir);
  await fleet.operator.call("createSite", {
    body: { node_id: fleet.nodeId, name: TARGET, path: targetDir },
  });
  otherNode = await enrolOther();
  const made = await fleet.backupd("run-once", "--site", SOURCE);
  expect(made, made.stderr).toMatchObject({ code: 0 });
  const [backup] = (await fleet.operator.call("listBackups", { query: { site_id: fleet.siteId } })).items;
  backupId = String(backup?.id);
});
afterAll(async () => {
  await stack?.disposeAsync();
});

async function enrolOther(): Promise<typeof otherNode> {
  const stateDir = join(fleet.dir, "node2");
  await ensureEnrolled({
    stateDir,
    masterUrl: fleet.stack.apiUrl,
    name: "web2.example.com",
    makeToken: async () => (await fleet.operator.call("createEnrollmentToken", { body: {} })).token,
  });
  const { items } = await fleet.operator.call("listNodes");
  const nodeId = String(items.find(({ name }) => name === "web2.example.com")?.id);
  const site = await fleet.operator.call("createSite", {
    body: { node_id: nodeId, name: MOVED, path: targetDir },
  });
  stack.use(await startBackupd({ stateDir, runDir: stateDir }));
  return { stateDir, siteId: site.id };
}

function everyPath(dir: string): string[] {
  const below = readdirSync(dir, { recursive: true, withFileTypes: true });
  return [dir, ...below.map(({ parentPath, name }) => join(parentPath, name))];
}

async function giveTo(dir: string): Promise<void> {
  for (const path of everyPath(dir)) await lchown(path, TARGET_USER, TARGET_USER);
}

const frontPage = async (url: string): Promise<string> => {
  const response = await fetch(`${url}/`, { redirect: "manual" });
  expect(response.status).toBe(200);
  return await response.text();
};

/** What visitors see, where links lead, and whose the files are. */
async function expectRestored(): Promise<void> {
  const page = await frontPage(targetUrl);
  expect(page).toContain("Harbour Lane Pottery");
  expect(page).toContain(`href="${targetUrl}`);
  expect(page).not.toContain(sourceUrl);
  const old = `SELECT count(*) FROM staging.shop_posts WHERE post_content LIKE '%${sourceUrl}/%'`;
  expect((await fleet.demo.mariadb.exec(old)).trim()).toBe("0");
  if (!isRoot) return;
  const owners = everyPath(join(targetDir, "wp-content")).map((path) => {
    const { uid, gid } = lstatSync(path);
    return `${uid}:${gid}`;
  });
  expect([...new Set(owners)]).toEqual([`${TARGET_USER}:${TARGET_USER}`]);
}

async function expectAsBefore(): Promise<void> {
  expect(await frontPage(targetUrl)).toContain("The other site");
  expect(await readFile(join(targetDir, "wp-content/own.txt"), "utf8")).toBe("the other site's own");
}

it("by command: into another site of this node, with its address, its database and its user; and back", async () => {
  const config = await readFile(join(targetDir, "wp-config.php"), "utf8");
  await writeFile(join(targetDir, "wp-content/own.txt"), "the other site's own");
  if (isRoot) await giveTo(targetDir);
  const source = await frontPage(fleet.demo.siteUrl);
  const command = ["restore", "latest", "--site", SOURCE, "--into", TARGET, "--url", targetUrl];
  const planned = await fleet.backupd(...command, "--dry-run", "--json");
  expect(planned, planned.stderr).toMatchObject({ code: 0 });
  await expectAsBefore();
  const done = await fleet.backupd(...command, "--yes", "--json");
  expect(done, done.stderr).toMatchObject({ code: 0 });
  await expectRestored();
  const change = (stdout: string): unknown =>
    JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "").url_change;
  expect(change(planned.stdout)).toEqual(change(done.stdout));
  expect(change(done.stdout)).toMatchObject({ from: sourceUrl, to: targetUrl });
  expect(await readFile(join(targetDir, "wp-config.php"), "utf8")).toBe(config);
  expect(await frontPage(fleet.demo.siteUrl)).toBe(source);
  const undone = await fleet.backupd("restore", "--undo", "--site", TARGET, "--yes");
  expect(undone, undone.stderr).toMatchObject({ code: 0 });
  await expectAsBefore();
});

it("by the API: into a site of another node, which cannot reach the backup but for the job; and back", async () => {
  const listed = await runBackupd(["list", "--state-dir", otherNode.stateDir]);
  expect(listed.stdout).not.toContain(backupId);
  const run = async (started: Promise<{ job_id: string }>): Promise<Job> =>
    fleet.waitForJob((await started).job_id);
  const body = { site_id: otherNode.siteId, new_url: targetUrl };
  const job = await run(fleet.operator.call("restoreBackup", { id: backupId, body }));
  expect(job, JSON.stringify(job)).toMatchObject({ state: "succeeded", site_id: otherNode.siteId });
  expect(job.result?.restore?.url_change).toMatchObject({ from: sourceUrl, to: targetUrl });
  await expectRestored();
  const undo = await run(fleet.operator.call("undoRestore", { id: otherNode.siteId, body: {} }));
  expect(undo, JSON.stringify(undo)).toMatchObject({ state: "succeeded", type: "undo" });
  await expectAsBefore();
});
