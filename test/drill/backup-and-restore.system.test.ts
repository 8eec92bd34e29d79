// The drill: a real WordPress is backed up through the API, destroyed, and brought back by the five steps of the
// restore procedure with stock programs only. What visitors saw before must be what they see after, byte for byte.
import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { copyWordpress } from "#local/demo/copy-wordpress.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { runProgram } from "#local/run-program.ts";
import { restoreWithStockTools } from "#local/stock-restore.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

async function pageHash(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return createHash("sha256")
    .update(Buffer.from(await response.arrayBuffer()))
    .digest("hex");
}

async function visit(): Promise<Record<string, string>> {
  const { siteUrl, postUrl, imageUrl } = fleet.demo;
  return {
    front: await pageHash(`${siteUrl}/`),
    post: await pageHash(postUrl),
    image: await pageHash(imageUrl),
  };
}

async function backUp(): Promise<Backup> {
  const job = await fleet.waitForJob(await fleet.start());
  expect(job).toMatchObject({ state: "succeeded", error: null });
  return await fleet.operator.call("getBackup", { id: job.backup_id ?? "" });
}

describe("the drill", () => {
  it("brings a destroyed WordPress back with wget, zstd, tar, mysql and rsync", async () => {
    const { demo, operator, stack, dir } = fleet;
    await fleet.startDaemon();
    const before = await visit();
    const sqlBefore = join(dir, "before.sql");
    await dumpForComparison(demo.mariadb, demo.db.name, sqlBefore);
    const reference = join(dir, "reference");
    await runProgram("cp", ["-a", demo.siteDir, reference]);

    const backup = await backUp();
    const { file_name, url, size_bytes } = await operator.call("downloadBackup", { id: backup.id });
    expect(file_name).toMatch(/^shop\.example\.com_\d{8}_\d{6}\.tar\.zst$/);
    expect(backup.s3_path).toBe(`/${fleet.nodeId}/${fleet.siteId}/${file_name}`);
    const { objects } = await stack.s3.inspect();
    expect(objects).toEqual([{ bucket: stack.bucket, key: backup.s3_path.slice(1), bytes: size_bytes }]);

    const password = (await demo.readDbPassword()) ?? "";
    await rm(demo.siteDir, { recursive: true });
    await demo.mariadb.exec(`DROP DATABASE ${demo.db.name}; CREATE DATABASE ${demo.db.name}`);
    await expect(visit()).rejects.toThrow();

    // What an operator has before step 1: WordPress itself, and an empty database.
    await copyWordpress(demo.siteDir);
    await rm(join(demo.siteDir, "wp-content"), { recursive: true });
    const workDir = join(dir, "restore");
    await mkdir(workDir);
    await restoreWithStockTools(url, workDir, {
      siteDir: demo.siteDir,
      database: { ...demo.db, password },
    });

    expect(await visit()).toEqual(before);
    const different = await compareTrees(join(reference, "wp-content"), join(demo.siteDir, "wp-content"), {
      excludedDirs: ["cache", "node_modules"],
    });
    expect(different).toEqual([]);
    const sqlAfter = join(dir, "after.sql");
    await dumpForComparison(demo.mariadb, demo.db.name, sqlAfter);
    await runProgram("cmp", [sqlBefore, sqlAfter]);
    expect(await fleet.leftovers()).toMatchObject({ openUploads: 0, spoolFiles: [], journal: [] });
  });

  it("has exactly database.sql, wp-config.php and wp-content/ in the archive, without cache and node_modules", async () => {
    // The site has them, or the test would pass on nothing.
    const plugin = join(fleet.dir, "reference", "wp-content", "plugins", "demo-shop");
    expect(await readdir(plugin)).toEqual(expect.arrayContaining(["cache", "node_modules"]));

    const tar = join(fleet.dir, "restore", "backup.tar");
    const names = (await runProgram("tar", ["-tf", tar])).trimEnd().split("\n");
    expect(names.at(-1)).toBe("database.sql");
    expect(names[0]).toBe("wp-config.php");
    expect(names.slice(1, -1).every((name) => name.startsWith("wp-content/"))).toBe(true);
    expect(names).toContain("wp-content/plugins/demo-shop/demo-shop.php");
    expect(names.filter((name) => /(^|\/)(cache|node_modules)(\/|$)/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("is what the record says: counts, sizes, stages in order", async () => {
    const backup = (await fleet.operator.call("listBackups", { query: { site_id: fleet.siteId } })).items[0];
    if (backup === undefined) throw new Error("no backup is listed");
    const tar = join(fleet.dir, "restore", "backup.tar");
    const files = (await runProgram("tar", ["-tvf", tar])).split("\n").filter((line) => line.startsWith("-"));
    // database.sql is not a file of the site.
    expect(backup.archive.files).toBe(files.length - 1);
    expect(backup.stages.map(({ name }) => name)).toEqual([
      "preflight",
      "quota",
      "dump",
      "plan",
      "archive",
      "complete",
    ]);
    expect(backup.archive.bytes_uploaded).toBe(backup.size_bytes);
    expect(backup.warnings).toEqual([]);
    const listing = await runProgram("zstd", ["-lv", join(fleet.dir, "restore", "backup.tar.zst")]);
    expect(Number(/# Zstandard Frames: (\d+)/.exec(listing)?.[1])).toBe(backup.archive.frames);
  });

  it("can be made by hand on the node, too", async () => {
    const result = await fleet.backupd("run-once", "--site", fleet.siteId, "--json");
    expect(result.code).toBe(0);
    const { items } = await fleet.operator.call("listBackups", { query: { site_id: fleet.siteId } });
    expect(items).toHaveLength(2);
  });
});
