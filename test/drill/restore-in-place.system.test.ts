// The drill with our own restore: a real WordPress is backed up, ruined, and brought back by one command, whole or in
// part; what was there before comes back by --undo, and a kill -9 in the middle of it all leaves no half site.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, chown, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { backupdLauncher } from "#local/backupd-launcher.ts";
import { compareTrees } from "#local/compare-trees.ts";
import { inheritedEnvironment } from "#local/own-process.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { runProgram } from "#local/run-program.ts";
import { holdImports, untilWaitingForNamedLock } from "#test/faults/hanging-dump.ts";
import { until } from "#test/faults/hold.ts";
import { type Fleet, type RunResult, startFleet } from "#test/helpers/fleet.ts";

const SITE = "shop.example.com";

let fleet: Fleet;
let before: Record<string, string>;
let dumpBefore: string;
beforeAll(async () => {
  fleet = await startFleet();
  // The first visits have WordPress write things down.
  await visit();
  // Some of it for a minute only: nothing of it is to end while a slow machine is at this.
  const { mariadb, db } = fleet.demo;
  await mariadb.exec(
    `UPDATE ${db.name}.shop_options SET option_value = option_value + 86400 WHERE option_name LIKE '%transient_timeout%'`,
  );
  before = await visit();
  dumpBefore = await dumpHash();
  if (isRoot) await chown(foreignFile(), 1234, 4321);
  await runProgram("cp", ["-a", fleet.demo.siteDir, join(fleet.dir, "reference")]);
  expect(await fleet.backupd("run-once")).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

const isRoot = process.getuid?.() === 0;
/** Another user's, as uploads of a PHP pool of its own are; to root's restores, owners come back. */
const foreignFile = (): string => join(fleet.demo.siteDir, "wp-content/plugins/demo-shop/demo-shop.php");

async function pageHash(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return sha256(Buffer.from(await response.arrayBuffer()));
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.text();
  return response.status;
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

async function visit(): Promise<Record<string, string>> {
  const { siteUrl, postUrl, imageUrl } = fleet.demo;
  return {
    front: await pageHash(`${siteUrl}/`),
    post: await pageHash(postUrl),
    image: await pageHash(imageUrl),
  };
}

async function dumpHash(): Promise<string> {
  const file = join(fleet.dir, "compare.sql");
  await dumpForComparison(fleet.demo.mariadb, fleet.demo.db.name, file);
  return sha256(await readFile(file));
}

async function fileDifferences(): Promise<string[]> {
  const [reference, site] = [join(fleet.dir, "reference"), fleet.demo.siteDir];
  return await compareTrees(join(reference, "wp-content"), join(site, "wp-content"), {
    excludedDirs: ["cache", "node_modules"],
    mtimeSlackNs: 300n,
  });
}

async function restore(...args: string[]): Promise<RunResult> {
  const result = await fleet.backupd("restore", ...args, "--yes");
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result;
}

async function leftInSite(): Promise<string[]> {
  const names = await readdir(fleet.demo.siteDir);
  return names.filter((name) => name.startsWith(".backupd") || name === ".maintenance");
}

it("asks before it changes a site, and changes nothing in a dry run", async () => {
  const asked = await fleet.backupd("restore", "latest", "--site", SITE);
  expect(asked.code).toBe(2);
  expect(asked.stderr).toContain("--yes");
  const dry = await fleet.backupd("restore", "latest", "--site", SITE, "--dry-run");
  expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining("Nothing was changed.") });
  expect(await fileDifferences()).toEqual([]);
  expect(await leftInSite()).toEqual([]);
});

it("brings a destroyed site back, and the ruin by --undo", async () => {
  const { demo } = fleet;
  for (const name of ["wp-content", "wp-config.php"]) await rm(join(demo.siteDir, name), { recursive: true });
  await demo.mariadb.exec(`DROP DATABASE ${demo.db.name}; CREATE DATABASE ${demo.db.name}`);
  await expect(visit()).rejects.toThrow();

  const { stderr } = await restore("latest", "--site", SITE);
  expect(stderr).toContain("backupd restore --undo");
  expect(await dumpHash()).toBe(dumpBefore);
  expect(await visit()).toEqual(before);
  expect(await fileDifferences()).toEqual([]);
  const { uid, gid } = await stat(foreignFile());
  if (isRoot) expect([uid, gid]).toEqual([1234, 4321]);
  expect(await leftInSite()).toEqual([]);

  await restore("--undo", "--site", SITE);
  await expect(visit()).rejects.toThrow();
  expect((await fleet.backupd("restore", "--undo", "--site", SITE, "--yes")).stderr).toContain(
    "nothing_to_undo",
  );
  await restore("latest", "--site", SITE);
  expect(await visit()).toEqual(before);
});

it("brings the database alone back, and its newer state by --undo", async () => {
  const { mariadb, db, siteDir } = fleet.demo;
  await mariadb.exec(
    `USE ${db.name}; UPDATE shop_posts SET post_title = 'Hacked'; CREATE TABLE shop_evil (a INT)`,
  );
  await appendFile(join(siteDir, "wp-content", "plugins", "index.php"), "// newer");
  const hacked = await dumpHash();
  const { stderr } = await restore("latest", "--site", SITE, "--only", "db");
  expect(stderr).toContain("shop_evil");
  expect(await dumpHash()).toBe(dumpBefore);
  expect(await readFile(join(siteDir, "wp-content", "plugins", "index.php"), "utf8")).toContain("// newer");
  await restore("--undo", "--site", SITE);
  expect(await dumpHash()).toBe(hacked);
  await restore("latest", "--site", SITE);
  expect(await visit()).toEqual(before);
});

it("brings one path back and touches nothing else", async () => {
  const plugin = "wp-content/plugins/demo-shop";
  const main = join(fleet.demo.siteDir, plugin, "demo-shop.php");
  const other = join(fleet.demo.siteDir, "wp-content", "plugins", "index.php");
  await writeFile(main, "<?php // ruined");
  await appendFile(other, "// newer");
  await restore("latest", "--site", SITE, "--path", plugin);
  // The renames show in the directory around them.
  expect(await fileDifferences()).toEqual([
    expect.stringMatching(/^differs: plugins: dir /),
    expect.stringMatching(/^differs: plugins\/index\.php: /),
  ]);
  expect(await readFile(other, "utf8")).toContain("// newer");
  await restore("latest", "--site", SITE, "--path", "wp-content/plugins/index.php");
  expect(await fileDifferences()).toEqual([expect.stringMatching(/^differs: plugins: dir /)]);
  expect(await visit()).toEqual(before);
});

it("says what is near when a path is not in the backup, and leaves the site alone", async () => {
  const result = await fleet.backupd(
    "restore",
    "latest",
    "--site",
    SITE,
    "--path",
    "wp-content/plugin",
    "--yes",
  );
  expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("wp-content/plugins") });
  expect(await visit()).toEqual(before);
  expect(await leftInSite()).toEqual([]);
});

/** Asks for a page again and again, with no pause; gives the kinds of answers that came. */
function watchVisits(url: string, kinds: Record<string, string>): () => Promise<string[]> {
  const seen = new Set<string>();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const response = await fetch(url);
      const body = Buffer.from(await response.arrayBuffer());
      const isLater = response.status === 503 && response.headers.get("retry-after") !== null;
      seen.add(isLater ? "later" : (kinds[sha256(body)] ?? `${response.status} ${body.toString("latin1")}`));
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return [...seen].filter((kind) => kind !== "later");
  };
}

it("shows visitors the old site, the new one or a 503 during a restore and its undo, and nothing else", async () => {
  const { mariadb, db, siteDir, siteUrl, imageUrl } = fleet.demo;
  await mariadb.exec(`USE ${db.name}; UPDATE shop_posts SET post_title = CONCAT(post_title, ' (later)')`);
  await writeFile(join(siteDir, new URL(imageUrl).pathname), "another image");
  await visit();
  const later = await visit();
  expect(later.front).not.toBe(before.front);
  const kindsOf = (name: string): Record<string, string> => ({
    [String(later[name])]: "with later changes",
    [String(before[name])]: "as in the backup",
  });
  const ends = [watchVisits(`${siteUrl}/`, kindsOf("front")), watchVisits(imageUrl, kindsOf("image"))];
  await restore("latest", "--site", SITE);
  expect(await visit()).toEqual(before);
  await restore("--undo", "--site", SITE);
  expect(await visit()).toEqual(later);
  const seen = await Promise.all(ends.map((end) => end()));
  for (const kinds of seen) expect(kinds.sort()).toEqual(["as in the backup", "with later changes"]);
  await restore("latest", "--site", SITE);
});

it("killed in the middle of the import leaves visitors a maintenance page and the next start the old site", async () => {
  const { mariadb, db } = fleet.demo;
  await mariadb.exec(`USE ${db.name}; UPDATE shop_posts SET post_title = CONCAT(post_title, ' (newer)')`);
  await visit();
  const [newerPages, newer] = [await visit(), await dumpHash()];
  const imports = await holdImports(fleet.demo);

  const args = ["restore", "latest", "--site", SITE, "--yes", "--state-dir", fleet.stateDir];
  const child = spawn(backupdLauncher(), args, { env: inheritedEnvironment(), stdio: "ignore" });
  const restores = join(fleet.stateDir, "restores");
  await untilWaitingForNamedLock(fleet.demo);
  child.kill("SIGKILL");
  await once(child, "exit");
  const refused = await fetch(fleet.demo.siteUrl);
  expect([refused.status, Number(refused.headers.get("retry-after"))]).toEqual([503, 600]);
  await refused.text();
  await imports[Symbol.asyncDispose]();

  await using _daemon = await fleet.startDaemon();
  await until("the old site", async () => (await statusOf(fleet.demo.siteUrl)) === 200);
  await until("the journal to go", async () => {
    const names = await readdir(restores);
    // The former restore keeps its undo.
    return names.filter((name) => name.endsWith(".json")).length <= 1;
  });
  expect(await dumpHash()).toBe(newer);
  expect(await visit()).toEqual(newerPages);
  expect(await leftInSite()).toEqual([]);
});
