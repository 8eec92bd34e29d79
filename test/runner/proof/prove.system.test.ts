// Proofs of real archives on a real throw-away MariaDB: what was backed up comes back, planted lies are found and named,
// and nothing is left behind, whatever happens.
import { spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Mariadb, startMariadb } from "#local/demo/mariadb.ts";
import { systemClock } from "#runner/clock.ts";
import type { FoundArchive } from "#runner/find-archive.ts";
import { openFileSource } from "#runner/io/restore/file-source.ts";
import { openObjectReader } from "#runner/io/restore/object-reader.ts";
import { openArchive } from "#runner/io/restore/open-archive.ts";
import { prove } from "#runner/prove.ts";
import type { VerifiedBackup } from "#runner/verify.ts";
import { until } from "#test/faults/hold.ts";
import { runBackupd } from "#test/helpers/fleet.ts";
import { mountSmallDisk } from "#test/helpers/small-disk.ts";
import { makeSite, packTo, type SiteOnDisk } from "#test/runner/io/pack-to-tree.ts";
import {
  craftArchive,
  directoryEntry,
  fileEntry,
  plainArchive,
  tarEntry,
} from "#test/runner/io/restore/craft-archive.ts";
import { dumpText } from "./dump-text.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
/** Rights that we have are given away. */
const serverUser = isRoot ? NOBODY : process.getuid?.();

let dir: string;
let server: Mariadb;
let dump: string;
let on: SiteOnDisk;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "backupd-prove-"));
  server = await startMariadb({ dataDir: join(dir, "db"), port: 0 });
  await server.exec(`
    CREATE USER wp@localhost IDENTIFIED BY 'secret'; CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
    GRANT ALL ON shop.* TO wp@localhost; USE shop;
    CREATE TABLE wp_options (id INT PRIMARY KEY AUTO_INCREMENT, v TEXT, f FLOAT, d DECIMAL(9,3), n INT) ENGINE=InnoDB;
    INSERT INTO wp_options (v, f, d, n) VALUES ('it''s \\n -- not a comment', 0.1, 1.5, NULL), ('日本 😀 DEFINER=\`a\`@\`b\`', 1e20, -2, 7);
    CREATE TABLE wp_posts (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB;
    INSERT INTO wp_posts SELECT seq, CONCAT('row ', seq, REPEAT('x', 500)) FROM seq_1_to_3000;
    CREATE TABLE wp_rel (a INT, b INT, PRIMARY KEY (a, b), KEY b (b)) ENGINE=InnoDB;
    INSERT INTO wp_rel SELECT seq, 1000 - seq FROM seq_1_to_500;
    CREATE TABLE wp_log (v VARCHAR(40), b BLOB, FULLTEXT (v)) ENGINE=MyISAM;
    INSERT INTO wp_log VALUES ('z', x'00ff'), ('a', NULL); DELETE FROM wp_log WHERE v = 'z'; INSERT INTO wp_log VALUES ('m', x'27');
    CREATE TABLE wp_aria (id INT) ENGINE=Aria COMMENT='two
lines';
    CREATE TABLE wp_child (id INT PRIMARY KEY, post INT, CONSTRAINT fk FOREIGN KEY (post) REFERENCES wp_posts (id)) ENGINE=InnoDB;
    CREATE DEFINER=wp@localhost VIEW wp_view AS SELECT shop.wp_posts.v FROM wp_posts;
    CREATE DEFINER=wp@localhost PROCEDURE p() SELECT 1;
    CREATE DEFINER=wp@localhost FUNCTION f() RETURNS INT DETERMINISTIC RETURN 2;
    CREATE DEFINER=wp@localhost EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO DELETE FROM wp_child;
    DELIMITER //
    CREATE DEFINER=wp@localhost TRIGGER tr BEFORE INSERT ON wp_child FOR EACH ROW
    BEGIN
      -- a comment in code
      SET NEW.post = COALESCE(NEW.post, 1);
    END//
    DELIMITER ;`);
  dump = await dumpOf(server);
  on = await makeSite(dir);
  mkdirSync(join(on.content, "uploads"));
  writeFileSync(join(on.content, "uploads/a.txt"), "content of a");
});
afterAll(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

let scratchDir: string;
beforeEach(() => {
  scratchDir = mkdtempSync(join(dir, "scratch-"));
});

async function dumpOf({ socketPath }: Mariadb): Promise<string> {
  const db = { name: "shop", user: "wp", password: "secret", address: { socketPath } };
  return await dumpText(db, dir);
}

interface How {
  readonly sha256Index?: string;
  readonly sha256Dump?: string;
  readonly signal?: AbortSignal;
  readonly enter?: (stage: string) => void;
  readonly onProgress?: () => void;
}

async function proved(file: string, how: How = {}): Promise<VerifiedBackup> {
  const signal = how.signal ?? new AbortController().signal;
  const open = async (): Promise<FoundArchive> => {
    await using opening = new AsyncDisposableStack();
    const reader = opening.use(openObjectReader(await openFileSource(file), systemClock));
    const { sha256Index, sha256Dump } = how;
    const archive = await openArchive(reader, {
      signal,
      ...(sha256Index === undefined ? {} : { sha256Index }),
    });
    const record = sha256Dump === undefined ? {} : { record: { sha256_dump: sha256Dump } as never };
    const opened = opening.move();
    return {
      archive,
      label: file,
      trust: "index",
      ...record,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  };
  const { enter = () => undefined, onProgress = () => undefined } = how;
  return await prove(open, { signal, clock: systemClock, scratchDir, enter, onProgress });
}

/** An archive of that dump which is right in itself. */
async function packed(text: string): Promise<string> {
  const file = join(dir, `${hash("sha256", text).slice(0, 12)}.tar.zst`);
  await packTo(file, on, { dump: text });
  return file;
}

/** Process ids; `as` this user if given. Any of them may end while it is looked at. */
function processesIn(place: string, as?: number): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const isThere = readlinkSync(`/proc/${pid}/cwd`).startsWith(place);
      return isThere && (as === undefined || userOf(pid) === as);
    } catch {
      return false;
    }
  });
}

function userOf(pid: string): number {
  return Number(/^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

it("proves what the product has backed up, and counts it", async () => {
  const stages: string[] = [];
  const file = await packed(dump);
  const result = await proved(file, {
    sha256Dump: hash("sha256", dump),
    enter: (stage) => stages.push(stage),
  });
  expect(result.findings).toEqual([]);
  expect(result).toMatchObject({ files: 2, tables: 6, dbBytes: Buffer.byteLength(dump) });
  expect(result.proof).toMatchObject({ rows: 2 + 3000 + 500 + 2, warnings: [] });
  expect(result.proof?.restoreSeconds).toBeGreaterThan(0);
  expect(stages).toEqual(["read", "extract", "compare", "import", "compare"]);
  expect(processesIn(scratchDir)).toEqual([]);
});

it("leaves temporary tables of other servers alone, as the site's own has them in the midst of its queries", async () => {
  // By that name a starting server takes it for its own.
  const table = join("/tmp", `#sql-temptable-${process.pid}-1-0.MAI`);
  writeFileSync(table, "");
  try {
    const file = await packed(dump);
    expect((await proved(file)).findings).toEqual([]);
    expect(existsSync(table)).toBe(true);
  } finally {
    rmSync(table, { force: true });
  }
});

it("says so before it downloads what it has no room for", async (test) => {
  await using _disk = await mountSmallDisk(scratchDir, "32m", test);
  const missing = { code: "disk_full", message: expect.stringContaining(scratchDir) };
  await expect(proved(await packed(dump))).rejects.toMatchObject(missing);
  expect(readdirSync(scratchDir)).toEqual([]);
});

const changed = (from: string, to: string): string => {
  expect(dump).toContain(from);
  return dump.replace(from, to);
};
const withoutPosts = (): string =>
  dump.replace(/-- Table structure for table `wp_posts`[\s\S]*?(?=-- Table structure)/, "");
const END = "\n-- Dump completed\n";

it.each<[string, () => string, string, string]>([
  [
    "a dump cut in the middle",
    () => dump.slice(0, dump.length / 2),
    "archive_corrupt",
    "The dump is cut off",
  ],
  [
    "a dump cut in the middle, with the end of a whole one",
    () => dump.slice(0, dump.indexOf("INSERT INTO `wp_posts`") + 5000) + END,
    "import_failed",
    "",
  ],
  ["a dump of nothing", () => `-- MariaDB dump 10.19${END}`, "dump_unusable", "no table"],
  ["a view of a table that is not in the dump", withoutPosts, "import_failed", ""],
  [
    "a value that the column does not hold",
    () => changed("0.1,1.500", "0.1,1.50049"),
    "dump_differs",
    "the rows of wp_options",
  ],
])("finds %s", async (_what, lie, code, words) => {
  const { findings } = await proved(await packed(lie()));
  expect(findings).toEqual([{ code, message: expect.stringContaining(words) }]);
  expect(processesIn(scratchDir)).toEqual([]);
});

it("does not blame the backup where another kind of server has written what this one refuses", async () => {
  const other = dump
    .replace(/Server version\s+\S+/, "Server version\t8.0.39")
    .replace("utf8mb4_unicode_520_ci", "utf8mb4_0900_ai_ci_x");
  await expect(proved(await packed(other))).rejects.toMatchObject({
    code: "proof_other_server",
    message: expect.stringMatching(/of 8\.0\.39, this server is .*collation/),
  });
});

it("proves another tool's archive by its dump alone", async () => {
  const file = join(dir, "plain.tar.zst");
  const config = tarEntry({ name: "wp-config.php", content: "<?php" });
  writeFileSync(file, plainArchive(config, tarEntry({ name: "database.sql", content: dump })));
  expect(await proved(file)).toMatchObject({ findings: [], files: 1, tables: 6, proof: { rows: 3504 } });
});

it("finds a table dropped from the dump by the record, whatever the archive says of itself", async () => {
  const { findings } = await proved(await packed(withoutPosts()), { sha256Dump: hash("sha256", dump) });
  expect(findings).toContainEqual({
    code: "archive_corrupt",
    message: expect.stringContaining("Master's record"),
  });
});

it("finds a flipped byte, and says in which frame", async () => {
  const bytes = readFileSync(await packed(dump));
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  const file = join(dir, "flipped.tar.zst");
  writeFileSync(file, bytes);
  const { findings, proof } = await proved(file);
  expect(findings).toContainEqual({
    code: "archive_corrupt",
    message: expect.stringContaining("is damaged"),
  });
  expect(proof).toBeUndefined();
});

it("finds that the index is not the one on record", async () => {
  const { findings } = await proved(await packed(dump), { sha256Index: "1".repeat(64) });
  expect(findings).toEqual([
    { code: "archive_corrupt", message: expect.stringContaining("not the one on record") },
  ]);
});

it("finds a file that the index has and the tar has not", async () => {
  const gone = { line: fileEntry("wp-content/a", "content").line, tar: Buffer.alloc(1024) };
  const file = join(dir, "gone.tar.zst");
  writeFileSync(
    file,
    craftArchive([fileEntry("wp-config.php", "<?php"), gone, directoryEntry("wp-content")]),
  );
  const { findings } = await proved(file);
  expect(findings).toContainEqual({
    code: "archive_corrupt",
    message: expect.stringContaining("wp-content/a"),
  });
});

it.each(["as the server starts", "in the import"])(
  "ends when it is cancelled %s, and leaves no server",
  async (when) => {
    const controller = new AbortController();
    const cancelled = new Error("cancelled");
    let stage = "";
    const how = {
      signal: controller.signal,
      enter(entered: string) {
        stage = entered;
        if (stage === "import" && when !== "in the import") setImmediate(() => controller.abort(cancelled));
      },
      onProgress() {
        if (stage === "import") controller.abort(cancelled);
      },
    };
    await expect(proved(await packed(dump), how)).rejects.toBe(cancelled);
    expect(stage).toBe("import");
    expect(processesIn(scratchDir)).toEqual([]);
  },
);

it("on the command line: a proof that was killed leaves nothing behind the next one", async () => {
  const stateDir = join(dir, "state");
  const command = ["verify", await packed(dump), "--deep", "--state-dir", stateDir];
  const launcher = join(import.meta.dirname, "../../../bin/backupd");
  const killed = spawn(launcher, command, { stdio: "ignore" });
  // By its user: the data directory is made with the rights that we have.
  await until("its server to run", () => processesIn(stateDir, serverUser).length > 0);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  expect(readdirSync(join(stateDir, "spool"))).not.toEqual([]);
  const { code, stdout, stderr } = await runBackupd([...command, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const said = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  expect(said).toMatchObject({ event: "verify.good", deep: true, rows: 3504, tables: 6, findings: [] });
  expect(readdirSync(join(stateDir, "spool"))).toEqual([]);
  expect(processesIn(stateDir)).toEqual([]);
});

it("a dump that reaches for the machine gets nowhere, in a server that has nothing", async () => {
  const attack = (sql: string): string =>
    dump.replace("DROP TABLE IF EXISTS `wp_log`;", `${sql};\nDROP TABLE IF EXISTS \`wp_log\`;`);
  const [outside, inside] = [join(dir, "outside"), "/tmp/outside"];
  const messages = [];
  for (const sql of [
    `SELECT 1 INTO OUTFILE '${outside}'`,
    `SELECT 1 INTO OUTFILE '${inside}'`,
    "SET GLOBAL general_log_file = '/data/x.log'",
    "CREATE USER evil@localhost",
  ]) {
    const { findings } = await proved(await packed(attack(sql)));
    rmSync(scratchDir, { recursive: true });
    mkdirSync(scratchDir);
    messages.push(...findings.map(({ code, message }) => `${code}: ${message}`));
  }
  expect(messages).toHaveLength(4);
  for (const message of messages) expect(message).toMatch(/^import_failed: .*(?:denied|privilege)/i);
  expect(existsSync(outside) || existsSync(inside)).toBe(false);
});

it.runIf(isRoot)("works without root's rights, too", async () => {
  const home = mkdtempSync(join(tmpdir(), "backupd-proof-user-"));
  try {
    const file = join(home, "a.tar.zst");
    copyFileSync(await packed(dump), file);
    for (const path of [home, file]) chownSync(path, NOBODY, NOBODY);
    const command = ["verify", file, "--deep", "--state-dir", join(home, "state"), "--json"];
    const as = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
    const { code, stdout, stderr } = await runBackupd(command, as);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain('"verify.good"');
  } finally {
    rmSync(home, { recursive: true });
  }
});
