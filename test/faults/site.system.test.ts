// Sites that cannot be backed up: each ends as a failed job that says what is wrong and what to do, with nothing in
// S3 and nothing on the disk; and once the site is repaired, the next backup succeeds.
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { BackupdProcess } from "#local/backupd-process.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import { type Fleet, type RunResult, runBackupd, startFleet } from "#test/helpers/fleet.ts";
import { backUp, expectCleanFailure, expectOneBackupMore, lastJob } from "./clean-end.ts";
import { childNamed, lockTable, untilWaitingForLock } from "./hanging-dump.ts";

let fleet: Fleet;
let daemon: BackupdProcess;
let configPath: string;
let goodConfig: string;
/** What puts the site right again, last damage first. */
const repairs: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  fleet = await startFleet();
  daemon = await fleet.startDaemon();
  configPath = join(fleet.demo.siteDir, "wp-config.php");
  goodConfig = await readFile(configPath, "utf8");
});
afterEach(async () => {
  for (let repair = repairs.pop(); repair !== undefined; repair = repairs.pop()) await repair();
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

async function writeConfig(text: string): Promise<void> {
  await writeFile(configPath, text);
  repairs.push(() => writeFile(configPath, goodConfig));
}

/** The constant's value as a PHP expression. */
async function define(name: string, expression: string): Promise<void> {
  const definition = new RegExp(`define\\( '${name}', .*`);
  expect(goodConfig).toMatch(definition);
  await writeConfig(goodConfig.replace(definition, () => `define( '${name}', ${expression} );`));
}

async function takeAway(path: string): Promise<void> {
  await rename(path, `${path}.away`);
  repairs.push(() => rename(`${path}.away`, path));
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

describe("the database", () => {
  it("refuses the login: names DB_PASSWORD", async () => {
    await define("DB_PASSWORD", "'not-it'");
    await expectCleanFailure(fleet, {
      code: "db_access_denied",
      hint: "Check DB_USER and DB_PASSWORD in wp-config.php",
    });
  });

  it("is down: names the server and DB_HOST", async () => {
    const port = await closedPort();
    await define("DB_HOST", `'127.0.0.1:${port}'`);
    await expectCleanFailure(fleet, {
      code: "db_unreachable",
      hint: "Check that MariaDB/MySQL runs and that DB_HOST",
      message: "127.0.0.1",
    });
  });

  it("is missing: names DB_NAME", async () => {
    // With the right to it, as after DROP DATABASE: otherwise the server does not say whether it is there.
    const { mariadb, db } = fleet.demo;
    await mariadb.exec(`GRANT SELECT ON gone.* TO '${db.user}'@'${db.host}'`);
    await define("DB_NAME", "'gone'");
    await expectCleanFailure(fleet, {
      code: "db_missing",
      hint: "Check DB_NAME in wp-config.php",
      message: "gone",
    });
  });

  it("has a name that the user has no right to: names DB_NAME before any GRANT", async () => {
    await define("DB_NAME", "'mistyped'");
    await expectCleanFailure(fleet, {
      code: "db_privilege_missing",
      hint: "Check DB_NAME in wp-config.php",
      message: "mistyped",
    });
  });
});

describe("the dump", () => {
  /** A backup whose dump has come as far as the locked table, and what is done to it there. */
  async function interruptedDump(interrupt: (dumpPid: number) => Promise<unknown>): Promise<Job> {
    await using _lock = await lockTable(fleet.demo, "shop_users");
    const jobId = await fleet.start();
    await untilWaitingForLock(fleet.demo);
    await interrupt(await childNamed("mariadb-dump", daemon.pid));
    return await fleet.waitForJob(jobId);
  }

  it("is killed midway: no archive of half a database", async () => {
    const killed = {
      code: "dump_failed",
      hint: "check the server's log and free space",
      message: "SIGKILL",
    } as const;
    await expectCleanFailure(fleet, killed, () =>
      interruptedDump(async (dumpPid) => process.kill(dumpPid, "SIGKILL")),
    );
  });

  it("loses its server midway: names the server", async () => {
    const lost = { code: "db_unreachable", hint: "Check that MariaDB/MySQL runs" } as const;
    await expectCleanFailure(fleet, lost, () =>
      interruptedDump(() => fleet.demo.mariadb.exec(`KILL CONNECTION USER '${fleet.demo.db.user}'`)),
    );
  });

  it("succeeds once nothing is in its way", async () => {
    await expectOneBackupMore(fleet);
  });
});

describe("the site's directory", () => {
  it("is gone: names the site's path", async () => {
    await takeAway(fleet.demo.siteDir);
    await expectCleanFailure(fleet, {
      code: "site_path_missing",
      hint: "Check the site's path",
      message: fleet.demo.siteDir,
    });
  });

  it("has no wp-content: names WP_CONTENT_DIR", async () => {
    await takeAway(join(fleet.demo.siteDir, "wp-content"));
    await expectCleanFailure(fleet, {
      code: "wp_content_missing",
      hint: "Check WP_CONTENT_DIR in wp-config.php",
      message: "wp-content",
    });
  });

  it("has no wp-config.php: says where to point the path", async () => {
    await takeAway(configPath);
    await expectCleanFailure(fleet, {
      code: "wp_config_missing",
      hint: "Point the site's path at the directory of wp-config.php",
      message: fleet.demo.siteDir,
    });
  });
});

describe("wp-config.php", () => {
  const remedy = "or into <state-dir>/sites/<site_id>.env";

  it.each([
    ["cut off in the middle", "<?php\ndefine( 'DB_NAME', 'word"],
    ["empty", ""],
    ["no PHP at all", "<html><body>Account suspended</body></html>"],
  ])("is %s: says what it needs", async (_what, text) => {
    await writeConfig(text);
    await expectCleanFailure(fleet, { code: "wp_config_unreadable", hint: remedy, message: "wp-config.php" });
  });

  it.each(["SHOP_DB_PASSWORD", "DB_PASSWORD"])(
    "has a password that only PHP would know: the hint's remedy, %s in the site's .env, helps",
    async (name) => {
      await define("DB_PASSWORD", "getenv( 'SHOP_DB_PASSWORD' )");
      const unknown = { code: "wp_config_unreadable", hint: remedy, message: "DB_PASSWORD" } as const;
      await expectCleanFailure(fleet, unknown);

      const password = /'DB_PASSWORD', '(.*)'/.exec(goodConfig)?.[1] ?? "";
      const envFile = join(fleet.stateDir, "sites", `${fleet.siteId}.env`);
      await writeFile(envFile, `${name}="${password}"\n`, { mode: 0o600 });
      repairs.push(() => rm(envFile));
      await expectOneBackupMore(fleet);
    },
  );
});

describe("what backupd may not read", () => {
  // Root may read everything; without these two capabilities it is stopped by permissions like anybody else.
  const LESS_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

  async function runWithLessRights(): Promise<RunResult> {
    const args = ["run-once", "--site", fleet.siteId, "--state-dir", fleet.stateDir];
    return await runBackupd(args, process.getuid?.() === 0 ? LESS_RIGHTS : []);
  }

  async function expectUnreadable(path: string): Promise<void> {
    const expected = { code: "site_unreadable", hint: "give its user read access", message: path } as const;
    let result: RunResult | undefined;
    await expectCleanFailure(fleet, expected, async () => {
      result = await runWithLessRights();
      return await lastJob(fleet);
    });
    // The person at the terminal is told the same.
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining("give its user read access") });
    expect(result?.stderr).toContain(path);
  }

  it("is one file: names it, and completes no archive without it", async () => {
    const path = join(fleet.demo.siteDir, "wp-content", "uploads", "zz-secret.txt");
    await writeFile(path, "nobody may read this");
    repairs.push(() => rm(path));
    await chmod(path, 0);
    await expectUnreadable(path);
  });

  it("is one directory: names it", async () => {
    const path = join(fleet.demo.siteDir, "wp-content", "uploads", "zz-closed");
    await mkdir(path);
    repairs.push(() => rm(path, { recursive: true }));
    await chmod(path, 0);
    await expectUnreadable(path);
  });

  it("is nothing any more: the same user backs the site up", async () => {
    await expectOneBackupMore(fleet, async () => {
      expect(await runWithLessRights()).toMatchObject({ code: 0 });
      return await lastJob(fleet);
    });
  });
});

describe("the repaired site", () => {
  it("is backed up as if nothing had been", async () => {
    expect(await readFile(configPath, "utf8")).toBe(goodConfig);
    await expectOneBackupMore(fleet, () => backUp(fleet));
  });
});
