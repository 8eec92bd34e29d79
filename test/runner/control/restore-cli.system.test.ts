// `backupd restore` as a process, on an archive that was downloaded by hand: no identity, no Master, no configuration.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { runProgram } from "#local/run-program.ts";
import { type RunResult, runBackupd } from "#test/helpers/fleet.ts";
import { extract, makeSite, packTo, type SiteOnDisk } from "#test/runner/io/pack-to-tree.ts";

let on: SiteOnDisk;
let archive: string;
beforeAll(async () => {
  on = await makeSite();
  mkdirSync(join(on.content, "uploads"));
  for (let at = 0; at < 50; at += 1)
    writeFileSync(join(on.content, "uploads", `${at}.txt`), "text ".repeat(at * 99));
  archive = join(on.dir, "shop.example.com_20261122_030000.tar.zst");
  await packTo(archive, on, { dump: "-- the dump\n" });
});
afterAll(async () => {
  await on?.[Symbol.asyncDispose]();
});

function restore(...args: string[]): Promise<RunResult> {
  return runBackupd(["restore", archive, ...args]);
}

it("extracts what zstd and tar extract", async () => {
  const { tree } = await extract(archive, join(on.dir, "stock"));
  const to = join(on.dir, "ours");
  const { code, stderr } = await restore("--to", to);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await compareTrees(tree, to, { mtimeSlackNs: 300n })).toEqual([]);
  expect(stderr).toMatch(/Restored .* into/);
  expect(stderr).toMatch(/51 files/);
});

it("tells machines what it did", async () => {
  const to = join(on.dir, "json");
  const { code, stdout } = await restore("--to", to, "--only", "db", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    event: "restore.done",
    files: 0,
    db_bytes: 12,
    db_path: "database.sql",
  });
  expect(readFileSync(join(to, "database.sql"), "utf8")).toBe("-- the dump\n");
});

it.each<[string, string[], string[]]>([
  ["before the backup", ["--only", "db,config"], []],
  ["again and again", ["--only", "db", "--only", "config"], []],
  ["behind it", [], ["--only", "config, db"]],
  ["as paths", ["--path", "database.sql"], ["--path", "wp-config.php"]],
])("takes parts said %s", async (what, before, behind) => {
  const to = join(on.dir, `parts ${what}`);
  const { code, stderr } = await runBackupd(["restore", ...before, archive, ...behind, "--to", to]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(readdirSync(to).sort()).toEqual(["database.sql", "wp-config.php"]);
});

it("extracts an archive that GNU tar and zstd made", async () => {
  const theirs = join(on.dir, "theirs.tar.zst");
  await runProgram("bash", ["-c", 'tar -C "$1" -cf - . | zstd -q -o "$2"', "bash", on.site, theirs]);
  const to = join(on.dir, "from-theirs");
  const { code } = await runBackupd(["restore", theirs, "--to", to]);
  expect(code).toBe(0);
  expect(await compareTrees(on.content, join(to, "wp-content"), { mtimeSlackNs: 1_000_000_000n })).toEqual(
    [],
  );
});

it.each([
  [
    "a path that the archive does not have",
    ["--path", "wp-content/upload"],
    1,
    "Did you mean wp-content/uploads?",
  ],
  ["a part that there is not", ["--only", "database"], 2, "--only takes db, files or config"],
])("says what is wrong with %s", async (_what, args, exitCode, words) => {
  const to = mkdtempSync(join(on.dir, "wrong-"));
  const { code, stderr } = await restore("--to", to, ...args);
  expect({ code, stderr }).toMatchObject({ code: exitCode });
  expect(stderr).toContain(words);
  expect(readdirSync(to)).toEqual([]);
  await rm(to, { recursive: true });
});

it("says so when the archive is damaged, and leaves nothing", async () => {
  const spoilt = join(on.dir, "spoilt.tar.zst");
  const bytes = readFileSync(archive);
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  writeFileSync(spoilt, bytes);
  const { code, stderr } = await runBackupd(["restore", spoilt, "--to", join(on.dir, "from-spoilt")]);
  expect({ code, stderr }).toMatchObject({ code: 1 });
  expect(stderr).toContain("its hash is wrong");
  expect(readdirSync(on.dir).filter((name) => name.startsWith("from-spoilt"))).toEqual([]);
});
