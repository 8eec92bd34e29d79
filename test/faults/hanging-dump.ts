// Makes a real dump stand still at a chosen table, without guessing at times: another session holds the table, and
// the server says when the dump has come to it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import type { DemoSite } from "#local/demo/demo-site.ts";
import { findProgram } from "#local/demo/find-program.ts";

/** Holds the table from everybody else until disposed of. */
export async function lockTable({ mariadb, db }: DemoSite, table: string): Promise<AsyncDisposable> {
  const args = ["--no-defaults", `--socket=${mariadb.socketPath}`, `--user=${mariadb.adminUser}`];
  const batch = ["--batch", "--skip-column-names", "--unbuffered", db.name];
  const session = spawn(await findProgram("mariadb"), [...args, ...batch], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(session, "close");
  session.stdin.write(`LOCK TABLES ${table} WRITE;\nSELECT 'locked';\n`);
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
export async function untilWaitingForLock({ mariadb, db }: DemoSite): Promise<void> {
  const waiting = `SELECT COUNT(*) FROM information_schema.processlist
    WHERE user = '${db.user}' AND state LIKE 'Waiting for table%lock'`;
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
