// Makes a real dump stand still at a chosen table, or an import before it begins, without guessing at times: another
// session holds what it needs, and the server says when it has come to that.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import type { DemoSite } from "#local/demo/demo-site.ts";
import { findProgram } from "#local/demo/find-program.ts";
import type { Mariadb } from "#local/demo/mariadb.ts";

export interface HeldDatabase {
  readonly mariadb: Mariadb;
  readonly db: Pick<DemoSite["db"], "name" | "user">;
}

/** Holds the table from everybody else until disposed of. */
export async function lockTable(database: HeldDatabase, table: string): Promise<AsyncDisposable> {
  return await holdInSession(database, `LOCK TABLES ${table} WRITE;\nSELECT 'locked';\n`);
}

/** Holds a lock of GET_LOCK(): who asks for it, too, waits. `name` is an SQL expression. */
export async function holdNamedLock(database: HeldDatabase, name: string): Promise<AsyncDisposable> {
  return await holdInSession(database, `SELECT IF(GET_LOCK(${name}, 0), 'locked', 'not locked');\n`);
}

/** An import waits for whoever imports already. */
export async function holdImports(database: HeldDatabase): Promise<AsyncDisposable> {
  return await holdNamedLock(database, `CONCAT('backupd ', MD5('${database.db.name}'))`);
}

async function holdInSession({ mariadb, db }: HeldDatabase, sql: string): Promise<AsyncDisposable> {
  const args = ["--no-defaults", `--socket=${mariadb.socketPath}`, `--user=${mariadb.adminUser}`];
  const batch = ["--batch", "--skip-column-names", "--unbuffered", db.name];
  const session = spawn(await findProgram("mariadb"), [...args, ...batch], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(session, "close");
  session.stdin.write(sql);
  const [line] = await Promise.race([
    once(createInterface(session.stdout), "line"),
    closed.then(() => ["the session has ended"]),
  ]);
  expect(line).toBe("locked");
  return {
    async [Symbol.asyncDispose]() {
      session.stdin.end();
      await closed;
    },
  };
}

/** Resolves when a session of the site's own user waits for a table that somebody holds. */
export async function untilWaitingForLock(database: HeldDatabase): Promise<void> {
  await untilWaiting(database, "Waiting for table%lock");
}

/** Resolves when a session of the site's own user waits for a lock of GET_LOCK(). */
export async function untilWaitingForNamedLock(database: HeldDatabase): Promise<void> {
  await untilWaiting(database, "User lock");
}

async function untilWaiting({ mariadb, db }: HeldDatabase, state: string): Promise<void> {
  const waiting = `SELECT COUNT(*) FROM information_schema.processlist
    WHERE user = '${db.user}' AND state LIKE '${state}'`;
  await expect
    .poll(async () => (await mariadb.exec(waiting)).trim(), { timeout: 20_000, interval: 20 })
    .toBe("1");
}

/** The child of `parentPid` that runs the program of that name. */
export async function childNamed(name: string, parentPid: number): Promise<number> {
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    // One that has ended since the directory was listed is none of ours.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // proc_pid_stat(5): pid (comm) state ppid …
    const [, command, parent] = /^\d+ \((.*)\) \S (\d+) /s.exec(stat) ?? [];
    if (command === name && Number(parent) === parentPid) return Number(pid);
  }
  throw new Error(`process ${parentPid} has no child ${name}`);
}
