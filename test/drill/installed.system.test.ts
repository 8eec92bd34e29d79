// What `npm run package` makes for nodes: it stands on its own, says what it lacks, and backs up like the sources do.
import { mkdtemp, readFile, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runProgram } from "#local/run-program.ts";
import { startFleet } from "#test/helpers/fleet.ts";
import { packageRunner } from "../../scripts/package-runner.mjs";

const ROOT = join(import.meta.dirname, "../..");
let dir: string;
let launcher: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "backupd-installed-"));
  const installed = join(dir, "lib", "backupd");
  await packageRunner(installed);
  launcher = join(installed, "bin/backupd");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** As `npm install` would leave it: the one dependency that is not bundled, and Node. */
async function withPackages<T>(use: () => Promise<T>): Promise<T> {
  const modules = join(dir, "lib", "backupd", "node_modules");
  await symlink(join(ROOT, "node_modules"), modules);
  try {
    return await use();
  } finally {
    await unlink(modules);
  }
}

interface AtEnd {
  /** Which of Node's own modules were loaded. */
  readonly modules: readonly string[];
  /** Of each thread. */
  readonly niceness: readonly number[];
  readonly disk: readonly string[];
}

/** Has a program on Node write to `file`, at its end, what it was like. */
async function tellingAtEnd(file: string): Promise<Record<string, string>> {
  const preload = join(dir, "tell-at-end.cjs");
  await writeFile(
    preload,
    `const { getPriority } = require("os"), { readdirSync, writeFileSync } = require("fs");
    const { isMainThread } = require("worker_threads"), { execFileSync } = require("child_process");
    if (isMainThread) process.on("exit", () => {
      const modules = process.moduleLoadList, threads = readdirSync("/proc/self/task");
      const niceness = threads.map((thread) => getPriority(Number(thread)));
      const disk = threads.map((thread) => execFileSync("ionice", ["-p", thread], { encoding: "utf8" }).trim());
      writeFileSync(${JSON.stringify(file)}, JSON.stringify({ modules, niceness, disk }));
    });`,
  );
  return { NODE_OPTIONS: `--require=${preload}` };
}

describe("the installable form", () => {
  test("says which command brings its packages when they are missing", async () => {
    await expect(runProgram(launcher, ["--version"])).rejects.toThrow(
      /exit code 78.*packages are missing. Run `npm install --omit=dev` in .*lib\/backupd/,
    );
  });

  test("is found through a link, as npm puts one into the PATH", async () => {
    const link = join(dir, "backupd");
    await symlink(launcher, link);
    expect(await withPackages(() => runProgram(link, ["--version"]))).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("makes a full archive, then one that copies what has not changed", async () => {
    await using fleet = await startFleet();
    const madeMs = Date.now();
    // A file proves nothing about itself for two seconds after it changed, and is packed again.
    await expect.poll(() => Date.now() - madeMs, { timeout: 5_000 }).toBeGreaterThan(2_050);
    const once = ["run-once", "--json", "--site", fleet.siteId, "--state-dir", fleet.stateDir];
    const told = join(dir, "told.json");
    const env = await tellingAtEnd(told);
    const ended = async (program: string, args: readonly string[]): Promise<object> => {
      const lines = (await runProgram(program, [...args, ...once], { env })).trim().split("\n");
      return lines.map((line) => JSON.parse(line)).find(({ event }) => event === "job.ended");
    };
    const main = join(launcher, "../../main.mjs");
    const atEnd = async (): Promise<AtEnd> => JSON.parse(await readFile(told, "utf8"));
    await withPackages(async () => {
      expect(await ended(process.execPath, [main])).toMatchObject({ status: "success", mode: "full" });
      const byItself = await atEnd();
      expect(await ended(launcher, [])).toMatchObject({ status: "success", mode: "incremental" });
      const launched = await atEnd();
      // However it was started, it is the last to get processor and disk.
      for (const { niceness, disk } of [byItself, launched]) {
        expect(new Set(niceness)).toEqual(new Set([19]));
        expect(new Set(disk)).toEqual(new Set(["idle"]));
      }
      // Bundled, an import loads what it names: not WebSocket and fetch with node:http, which nothing here uses.
      expect(launched.modules).toContain("NativeModule http");
      expect(launched.modules.filter((name) => name.includes("undici"))).toEqual([]);
    });
    const { items } = await fleet.operator.call("listBackups");
    expect(items.map(({ archive }) => archive.mode).sort()).toEqual(["full", "incremental"]);
  });
});
