// Dumps of a real MariaDB: a good one loads elsewhere to the same data, everything else is a failure with a name, and
// the password is nowhere to be seen while it runs.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { decompress } from "@mongodb-js/zstd";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mariadb, startMariadb } from "#local/demo/mariadb.ts";
import { type Dump, type DumpOptions, dumpDatabase } from "#runner/io/dump.ts";
import { type DatabaseFacts, probeDatabase } from "#runner/io/mysql-client.ts";
import type { SiteDatabase } from "#runner/io/site.ts";
import { hasSnapshot } from "#runner/plan/dump-options.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const FRAME_BYTES = 262_144;
const signal = new AbortController().signal;
const PASSWORD = `p'w"\\s #;é\t=[x] $(id) 日本`;

let dir: string;
let server: Mariadb;
let db: SiteDatabase;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "backupd-dump-"));
  mkdirSync(join(dir, "spool"));
  server = await startMariadb({ dataDir: join(dir, "db"), port: 0 });
  db = { name: "shop", user: "wp", password: PASSWORD, address: { socketPath: server.socketPath } };
  const quoted = PASSWORD.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
  await server.exec(`
    CREATE DATABASE shop; CREATE DATABASE other; CREATE DATABASE noevent;
    CREATE USER wp@localhost IDENTIFIED BY '${quoted}';
    GRANT ALL ON shop.* TO wp@localhost; GRANT ALL ON other.* TO wp@localhost;
    GRANT SELECT ON noevent.* TO wp@localhost;
    CREATE TABLE noevent.t (id INT) ENGINE=InnoDB;
    USE shop;
    CREATE TABLE posts (id INT PRIMARY KEY AUTO_INCREMENT, title TEXT, body LONGBLOB) ENGINE=InnoDB;
    INSERT INTO posts (title, body) VALUES ('it''s "quoted" \\\\ \\n 日本 😀', x'00ff1a0a0d27225c'), (NULL, '');
    INSERT INTO posts (title, body) SELECT UUID(), RANDOM_BYTES(1000) FROM seq_1_to_3000;
    CREATE TABLE log (id INT) ENGINE=MyISAM; INSERT INTO log VALUES (1), (2);
    CREATE VIEW titles AS SELECT title FROM posts;
    CREATE DEFINER=wp@localhost PROCEDURE p() SELECT 1;
    CREATE DEFINER=wp@localhost FUNCTION f() RETURNS INT DETERMINISTIC RETURN 7;
    CREATE FUNCTION noevent.of_root() RETURNS INT DETERMINISTIC RETURN 7; GRANT EXECUTE ON noevent.* TO wp@localhost;
    CREATE TRIGGER tr BEFORE INSERT ON posts FOR EACH ROW SET NEW.title = COALESCE(NEW.title, 'none');
    CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO DELETE FROM log;`);
});
afterAll(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

async function dump(of: SiteDatabase = db, changes: Partial<DumpOptions> = {}): Promise<Dump> {
  const facts = changes.facts ?? (await probeDatabase(of, { signal }));
  return await dumpDatabase(of, {
    facts,
    spoolDir: join(dir, "spool"),
    frameBytes: FRAME_BYTES,
    signal,
    ...changes,
  });
}

async function plainOf(made: Dump): Promise<Buffer> {
  const frames: Buffer[] = [];
  for await (const frame of made.frames()) {
    const plain = await decompress(frame.bytes);
    expect(plain.length).toBe(frame.rawBytes);
    frames.push(plain);
  }
  return Buffer.concat(frames);
}

function spooled(): string[] {
  return readdirSync(join(dir, "spool"));
}

/** Everything there is to know of a database, as checksums and definitions. */
async function contentsOf(name: string): Promise<string> {
  return await server
    .exec(`USE ${name}; CHECKSUM TABLE posts EXTENDED; SELECT COUNT(*) FROM log; SHOW TRIGGERS;
    SELECT COUNT(*) FROM titles; SELECT f(); SHOW CREATE PROCEDURE p; SHOW CREATE EVENT ev;
    SELECT HEX(body), HEX(title) FROM posts WHERE id < 3;`)
    .then((text) => text.replaceAll(`${name}.`, "").replace(/\d{4}-\d\d-\d\d [\d:.]+/g, ""));
}

describe("a dump", () => {
  it("loads elsewhere, by the stock client, to the same data", async () => {
    await using made = await dump();
    const plain = await plainOf(made);
    expect({ bytes: made.bytes, sha256: made.sha256 }).toEqual({
      bytes: plain.length,
      sha256: createHash("sha256").update(plain).digest("hex"),
    });
    expect(plain.length).toBeGreaterThan(10 * FRAME_BYTES);
    const file = join(dir, "database.sql");
    writeFileSync(file, plain);
    await run("sh", [
      "-c",
      `mysql --no-defaults --socket="$0" --user="$1" other < "$2"`,
      server.socketPath,
      server.adminUser,
      file,
    ]);
    expect(await contentsOf("other")).toBe(await contentsOf("shop"));
  });

  it("is the same twice, and leaves no file behind, not even while it exists", async () => {
    await using first = await dump();
    await using second = await dump();
    expect(first.sha256).toBe(second.sha256);
    expect(spooled()).toEqual([]);
  });

  it("shows the password to nobody while it runs", async () => {
    const found: string[] = [];
    const onStart = (pid: number): void => {
      for (const part of ["cmdline", "environ"]) found.push(readFileSync(`/proc/${pid}/${part}`, "utf8"));
      found.push(
        readFileSync("/proc/self/environ", "utf8"),
        ...readdirSync("/dev/shm").filter((name) => name.startsWith("backupd")),
      );
    };
    await using made = await dump(db, { onStart });
    expect(made.bytes).toBeGreaterThan(0);
    expect(found.length).toBe(3); // Two of the child, one of ours, and no file in /dev/shm.
    for (const text of found) expect(text).not.toContain("p'w");
  });
});

describe("a dump's snapshot", () => {
  it("stands when it is said to: nothing that is written from then on is in the dump", async () => {
    await server.exec(
      "CREATE TABLE shop.zz_last (word TEXT) ENGINE=InnoDB; INSERT INTO shop.zz_last VALUES ('early');",
    );
    let pid = 0;
    let times = 0;
    let written: Promise<unknown> = Promise.resolve();
    const facts = { ...(await probeDatabase(db, { signal })), nonTransactionalTables: [] };
    await using made = await dump(db, {
      facts,
      onStart: (started) => {
        pid = started;
      },
      onSnapshot: () => {
        times += 1;
        // It stays where it is until the row is there, whatever is in the pipes.
        process.kill(pid, "SIGSTOP");
        written = server
          .exec("INSERT INTO shop.zz_last VALUES ('too late');")
          .finally(() => process.kill(pid, "SIGCONT"));
      },
    });
    await written;
    const plain = (await plainOf(made)).toString("latin1");
    expect(times).toBe(1);
    expect(plain).toContain("'early'");
    expect(plain).not.toContain("'too late'");
    expect(await server.exec("SELECT word FROM shop.zz_last;")).toContain("too late");
    await server.exec("DROP TABLE shop.zz_last;");
  });

  it("is not told of where a table has none", async () => {
    let times = 0;
    const facts = await probeDatabase(db, { signal });
    const onSnapshot = (): void => {
      times += 1;
    };
    await using made = await dump(db, { facts, onSnapshot });
    expect(facts.nonTransactionalTables).toEqual(["log"]);
    expect((await plainOf(made)).toString("latin1")).toContain("CREATE TABLE `log`");
    expect(times).toBe(0);
  });

  it("is not told of by the header, which is written before it", () => {
    const header =
      "-- MariaDB dump 10.19\n--\n-- Host: localhost    Database: CREATE \n-- Server version\t10\n/*!40101 SET NAMES utf8mb4 */;\n";
    expect(hasSnapshot(header)).toBe(false);
    expect(hasSnapshot(`${header}\n--\n-- Table structure for table \`posts\`\n`)).toBe(true);
    expect(hasSnapshot(`${header}DROP TABLE IF EXISTS \`posts\`;\n`)).toBe(true);
  });
});

describe("probeDatabase", () => {
  it("says what a dump needs to know", async () => {
    expect(await probeDatabase(db, { signal })).toMatchObject({
      flavour: "mariadb",
      version: expect.stringMatching(/^\d+\.\d+/),
      nonTransactionalTables: ["log"],
      unreadable: { events: false, routines: false, triggers: false },
    } satisfies Partial<DatabaseFacts>);
  });

  it("finds out what the user may not read, and the dump does without it", async () => {
    const poor = { ...db, name: "noevent" };
    const facts = await probeDatabase(poor, { signal });
    expect(facts.unreadable).toEqual({ events: true, routines: true, triggers: true });
    await using made = await dump(poor, { facts });
    expect((await plainOf(made)).toString()).toContain("CREATE TABLE `t`");
  });
});

describe("a dump that cannot be made", () => {
  it.each<[string, () => Partial<SiteDatabase>, string]>([
    ["a wrong password", () => ({ password: "wrong" }), "db_access_denied"],
    [
      "a database that is not there",
      () => ({ user: server.adminUser, password: "", name: "nowhere" }),
      "db_missing",
    ],
    ["a database of others", () => ({ name: "mysql" }), "db_privilege_missing"],
    ["a server that is down", () => ({ address: { socketPath: join(dir, "no.sock") } }), "db_unreachable"],
    ["a port where nobody listens", () => ({ address: { host: "127.0.0.1", port: 1 } }), "db_unreachable"],
    ["a host that does not exist", () => ({ address: { host: "db.invalid" } }), "db_unreachable"],
  ])("%s", async (_, changes, code) => {
    const facts = await probeDatabase(db, { signal });
    const wrong = { ...db, ...changes() };
    await expect(probeDatabase(wrong, { signal })).rejects.toMatchObject({ code });
    const error = await dump(wrong, { facts }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(wrong.password || "p'w");
    expect(spooled()).toEqual([]);
  });

  it("is a failure when the program is killed half-way", async () => {
    const onStart = (pid: number): boolean => process.kill(pid, "SIGKILL");
    await expect(dump(db, { onStart })).rejects.toMatchObject({
      code: "dump_failed",
      message: expect.stringContaining("SIGKILL"),
    });
  });

  it("is a failure when the server breaks off half-way", async () => {
    let cut: Promise<unknown> = Promise.resolve();
    let seen = false;
    const onBytes = (): void => {
      if (seen) return;
      seen = true;
      cut = server
        .exec("SELECT id FROM information_schema.processlist WHERE user = 'wp'")
        .then((ids) => server.exec(`KILL ${ids.trim().split("\n")[0]}`));
    };
    await server.exec(
      "USE shop; CREATE TABLE slow AS SELECT seq, SLEEP(0) s, REPEAT('x', 100000) t FROM seq_1_to_3000",
    );
    const outcome = await dump(db, { onBytes }).then(
      () => "good",
      (error: unknown) => error,
    );
    await cut;
    await server.exec("DROP TABLE shop.slow");
    expect(outcome).toMatchObject({ code: "db_unreachable" });
  });

  it("ends when it is told to, with the reason, and with the program gone", async () => {
    const stop = new AbortController();
    let pid = 0;
    const onStart = (started: number): void => {
      pid = started;
    };
    const onBytes = (): void => stop.abort(new Error("told to"));
    await expect(dump(db, { signal: stop.signal, onStart, onBytes })).rejects.toThrow("told to");
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect(spooled()).toEqual([]);
  });

  it("is not begun after it was told to stop", async () => {
    await expect(
      dump(db, {
        facts: await probeDatabase(db, { signal }),
        signal: AbortSignal.abort(new Error("before")),
      }),
    ).rejects.toThrow("before");
  });

  it.runIf(isRoot)("says that the disk is full when it is", async (context) => {
    const small = join(dir, "small");
    mkdirSync(small);
    await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]).catch(() =>
      context.skip("mounting is not allowed here"),
    );
    try {
      await expect(dump(db, { spoolDir: small })).rejects.toMatchObject({ code: "disk_full" });
      expect(readdirSync(small)).toEqual([]);
    } finally {
      await run("umount", [small]);
    }
  });

  it("says that the state directory is unusable when it is", async () => {
    const gone = join(dir, "gone");
    await expect(dump(db, { spoolDir: gone })).rejects.toMatchObject({ code: "state_dir_unusable" });
  });
});
