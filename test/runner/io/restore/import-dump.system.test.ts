// Dumps loaded into a real MariaDB: the database becomes what the dump says, other sites in it stay as they are, and
// neither a hostile nor a broken dump does what it would like to.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Mariadb, startMariadb } from "#local/demo/mariadb.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { dumpDatabase } from "#runner/io/dump.ts";
import { probeDatabase } from "#runner/io/mysql-client.ts";
import { readDatabaseState } from "#runner/io/restore/database-objects.ts";
import { type DumpSource, importDump, scanDumpSource } from "#runner/io/restore/import-dump.ts";
import { checkSafetyDump, keepSafetyDump, openSafetyDump } from "#runner/io/restore/safety-dump.ts";
import type { SiteDatabase } from "#runner/io/site.ts";
import { type ImportPlan, planImport } from "#runner/plan/restore/import-plan.ts";
import type { SafetyDump } from "#runner/plan/restore/restore-journal.ts";
import { until } from "#test/faults/hold.ts";

const signal = new AbortController().signal;

let dir: string;
let server: Mariadb;
let db: SiteDatabase;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "backupd-import-"));
  server = await startMariadb({ dataDir: join(dir, "db"), port: 0 });
  await server.exec(`
    CREATE USER wp@localhost IDENTIFIED BY 'secret'; CREATE USER other@localhost IDENTIFIED BY 'x';
    GRANT ALL ON shop.* TO wp@localhost; GRANT ALL ON elsewhere.* TO other@localhost; CREATE DATABASE elsewhere;`);
  db = { name: "shop", user: "wp", password: "secret", address: { socketPath: server.socketPath } };
});
afterAll(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

const WORDPRESS = (prefix: string): string =>
  ["options", "posts", "users"]
    .map((name) => `CREATE TABLE ${prefix}${name} (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB;`)
    .join("\n");

beforeEach(async () => {
  for (const path of ["spool", "out"]) rmSync(join(dir, path), { recursive: true, force: true });
  for (const path of ["spool", "out"]) mkdirSync(join(dir, path));
  await server.exec(`
    DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; USE shop;
    ${WORDPRESS("wp_")}
    INSERT INTO wp_options VALUES (1, 'it''s "quoted" \\\\ \\n 日本 😀'), (2, 'DROP TABLE \`wp_posts\`;\\n-- Dump completed');
    INSERT INTO wp_posts SELECT seq, REPEAT('x', 2000) FROM seq_1_to_3000;
    CREATE TABLE wp_child (id INT PRIMARY KEY, post INT,
      CONSTRAINT fk_child FOREIGN KEY (post) REFERENCES wp_posts (id)) ENGINE=InnoDB;
    INSERT INTO wp_child VALUES (1, 7);
    CREATE TABLE wp_blob (id INT PRIMARY KEY, b LONGBLOB, g GEOMETRY, bits BIT(9)) ENGINE=InnoDB COMMENT='a;
b \`c\`';
    INSERT INTO wp_blob VALUES (1, x'00ff1a0a0d27225c', POINT(1,2), b'101010101');
    CREATE TABLE plain_plugin (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO plain_plugin VALUES (1);
    CREATE DEFINER=wp@localhost VIEW wp_titles AS SELECT v FROM wp_posts;
    CREATE DEFINER=wp@localhost PROCEDURE p() SELECT 1;
    DELIMITER //
    CREATE DEFINER=wp@localhost TRIGGER tr
      BEFORE INSERT
      ON wp_child FOR EACH ROW BEGIN SET NEW.post = COALESCE(NEW.post, 1); END//
    DELIMITER ;
    CREATE DEFINER=wp@localhost EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM wp_child WHERE id < 0;`);
});

async function dumpNow(): Promise<SafetyDump> {
  const facts = await probeDatabase(db, { signal });
  await using dump = await dumpDatabase(db, {
    facts,
    spoolDir: join(dir, "spool"),
    frameBytes: 65_536,
    signal,
  });
  return await keepSafetyDump(dump, join(dir, "out", "safety.sql.zst"));
}

async function contentOf(name = "shop"): Promise<string> {
  const file = join(dir, "out", "content.sql");
  await dumpForComparison(server, name, file);
  return await readFile(file, "utf8");
}

function given(sql: string): DumpSource {
  return {
    async *bytes() {
      yield Buffer.from(sql);
    },
  };
}

async function load(source: DumpSource, prefix = "wp_", into = db): Promise<ImportPlan> {
  const dump = await scanDumpSource(source, signal);
  const { objects, currentUser } = await readDatabaseState(into, signal);
  const plan = planImport({ dump, existing: objects, tablePrefix: prefix });
  await importDump(into, source, { plan, currentUser, signal });
  return plan;
}

describe("a dump of the site", () => {
  it("brings back everything, to the letter, and takes away what was not there then", async () => {
    const before = await contentOf();
    const safety = await dumpNow();
    await server.exec(`USE shop; SET foreign_key_checks = 0;
      DROP VIEW wp_titles; CREATE TABLE wp_titles (now_a INT); DROP TABLE wp_posts, wp_child; CREATE VIEW wp_posts AS SELECT 1;
      UPDATE wp_options SET v = 'changed'; DROP PROCEDURE p; DROP EVENT ev;
      CREATE TABLE wp_new (id INT); CREATE VIEW wp_newview AS SELECT 1; CREATE TABLE unrelated (id INT);`);
    const plan = await load(openSafetyDump(safety));
    expect(plan.removed.map(({ name }) => name).sort()).toEqual(["wp_new", "wp_newview"]);
    await server.exec("DROP TABLE shop.unrelated"); // It was there still, or this would fail.
    expect(await contentOf()).toBe(before);
  });

  it("comes into an empty database of another account, in whose name everything then is", async () => {
    const safety = await dumpNow();
    const other = { ...db, name: "elsewhere", user: "other", password: "x" };
    await load(openSafetyDump(safety), "wp_", other);
    const definers = await server.exec(`
      SELECT definer FROM information_schema.views WHERE table_schema = 'elsewhere'
      UNION ALL SELECT definer FROM information_schema.triggers WHERE trigger_schema = 'elsewhere'
      UNION ALL SELECT definer FROM information_schema.routines WHERE routine_schema = 'elsewhere'
      UNION ALL SELECT definer FROM information_schema.events WHERE event_schema = 'elsewhere'`);
    expect(definers.trim().split("\n")).toEqual(Array(4).fill("other@localhost"));
    expect((await server.exec("SELECT count(*) FROM elsewhere.wp_titles")).trim()).toBe("3000");
  });

  it("leaves another WordPress in the same database alone, and restores the site of a network", async () => {
    await server.exec(`USE shop; ${WORDPRESS("wp_shop_")} INSERT INTO wp_shop_posts VALUES (1, 'then');
      CREATE TRIGGER theirs BEFORE INSERT ON wp_shop_posts FOR EACH ROW SET NEW.v = 'theirs';
      CREATE VIEW wp_shop_view AS SELECT v FROM wp_shop_posts;
      CREATE TABLE wp_2_options (id INT); CREATE TABLE wp_2_posts (id INT);`);
    const safety = await dumpNow();
    await server.exec(`USE shop; SET foreign_key_checks = 0; UPDATE wp_shop_posts SET v = 'now'; CREATE TABLE wp_shop_orders (id INT);
      DELETE FROM wp_posts; DROP TABLE wp_2_posts;`);
    const plan = await load(openSafetyDump(safety));
    expect([...plan.left].sort()).toEqual([
      "wp_shop_options",
      "wp_shop_posts",
      "wp_shop_users",
      "wp_shop_view",
    ]);
    expect((await server.exec("SELECT v FROM shop.wp_shop_posts")).trim()).toBe("now");
    expect((await server.exec("SELECT count(*) FROM shop.wp_posts")).trim()).toBe("3000");
    await server.exec("USE shop; SELECT * FROM wp_shop_orders, wp_2_posts, wp_shop_view");
  });

  it("can be kept, and tells when it was damaged", async () => {
    const safety = await dumpNow();
    await checkSafetyDump(safety, new AbortController().signal);
    const bytes = await readFile(safety.file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    writeFileSync(safety.file, bytes);
    await expect(checkSafetyDump(safety, new AbortController().signal)).rejects.toMatchObject({
      code: "restore_not_reverted",
    });
    writeFileSync(safety.file, bytes.subarray(0, -5));
    await expect(checkSafetyDump(safety, new AbortController().signal)).rejects.toMatchObject({
      code: "restore_not_reverted",
    });
  });
});

describe("a hostile dump", () => {
  it.each(["\\! touch MARK", "system touch MARK"])("has no command run: %s", async (command) => {
    const mark = join(dir, "out", "mark");
    await load(given(`CREATE TABLE \`wp_x\` (a INT);\n${command.replace("MARK", mark)}\n;\n`)).catch(
      () => undefined,
    );
    expect(existsSync(mark)).toBe(false);
  });

  it("has no file of this machine read", async () => {
    writeFileSync(join(dir, "out", "secret"), "root's own\n");
    await server.exec("SET GLOBAL local_infile = 1");
    const sql = `CREATE TABLE \`wp_x\` (a TEXT);\nLOAD DATA LOCAL INFILE '${join(dir, "out", "secret")}' INTO TABLE wp_x;\n`;
    await expect(load(given(sql))).rejects.toMatchObject({ code: "import_failed" });
    expect((await server.exec("SELECT count(*) FROM shop.wp_x")).trim()).toBe("0");
  });
});

describe("a dump that cannot be restored", () => {
  it("is one that was cut", async () => {
    const whole = "-- MariaDB dump 10.19\nCREATE TABLE `wp_x` (a INT);\n";
    await expect(scanDumpSource(given(whole), signal)).rejects.toMatchObject({ code: "dump_unusable" });
    await scanDumpSource(given(`${whole}\n-- Dump completed\n`), signal);
  });

  it("is one of several databases; a single one's name does not matter", async () => {
    const one = "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `a`;\n\nUSE `a`;\nCREATE TABLE `wp_x` (a INT);\n";
    await load(given(one));
    expect((await server.exec("SELECT count(*) FROM shop.wp_x")).trim()).toBe("0");
    const two = given(`${one}USE \`b\`;\n`);
    await expect(scanDumpSource(two, signal)).rejects.toMatchObject({ code: "dump_unusable" });
  });

  it("is one with an error in it, or an end that is missing", async () => {
    await expect(load(given("CREATE TABLE `wp_x` (a NOTYPE);\n"))).rejects.toMatchObject({
      code: "import_failed",
    });
    for (const open of ["/* never closed\n", "SELECT 'never closed\n"]) {
      await expect(load(given(`CREATE TABLE \`wp_x\` (a INT);\n${open}`))).rejects.toMatchObject({
        code: "import_failed",
      });
    }
  });

  it("says so when the user has too few rights, with what to grant", async () => {
    await server.exec("CREATE USER poor@localhost; GRANT SELECT ON shop.* TO poor@localhost");
    const poor = { ...db, user: "poor", password: "" };
    const refused = load(given("CREATE TABLE `wp_x` (a INT);\n"), "wp_", poor);
    await expect(refused).rejects.toMatchObject({
      code: "import_failed",
      hint: expect.stringContaining("GRANT ALL"),
    });
  });
});

describe("an import that is stopped", () => {
  it("ends with the reason", async () => {
    const stop = new AbortController();
    const endless: DumpSource = {
      async *bytes() {
        for (let row = 0; ; row += 1) {
          if (row === 100) stop.abort(new Error("told to"));
          yield Buffer.from(`SELECT ${row};\n`);
        }
      },
    };
    const plan = planImport({
      dump: await scanDumpSource(given(""), signal),
      existing: [],
      tablePrefix: "wp_",
    });
    const options = { plan, currentUser: "", signal: stop.signal };
    await expect(importDump(db, endless, options)).rejects.toThrow("told to");
  });
});

describe("an import after a kill -9", () => {
  it("waits for the client that was left behind", async () => {
    const left = spawn(
      "mariadb",
      ["--no-defaults", `--socket=${server.socketPath}`, "-uwp", "-psecret", "shop"],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    left.stdin.write(`SELECT GET_LOCK(CONCAT('backupd ', MD5(DATABASE())), 0);\nSELECT 'held';\n`);
    const isHeld = `SELECT IS_USED_LOCK(CONCAT('backupd ', MD5('shop')))`;
    await until("the lock", async () => (await server.exec(isHeld)).trim() !== "NULL");
    const loading = load(given("CREATE TABLE `wp_x` (a INT);\n"));
    const waiting = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User lock'";
    await until("the import at the lock", async () => (await server.exec(waiting)).trim() === "1");
    await server.exec("CREATE TABLE shop.wp_x (left_behind INT)");
    left.stdin.end();
    await expect(loading).rejects.toMatchObject({ code: "import_failed" });
  });
});
