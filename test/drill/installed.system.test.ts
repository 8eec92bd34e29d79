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

/** Has a program on Node write to `file`, at its end, which of Node's own modules it has loaded. */
async function listingModules(file: string): Promise<Record<string, string>> {
  const preload = join(dir, "list-modules.cjs");
  const list = "JSON.stringify(process.moduleLoadList)";
  await writeFile(
    preload,
    `process.on("exit", () => require("fs").writeFileSync(${JSON.stringify(file)}, ${list}));`,
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
    const listed = join(dir, "modules.json");
    const env = await listingModules(listed);
    const ended = async (): Promise<object> => {
      const lines = (await runProgram(launcher, once, { env })).trim().split("\n");
      return lines.map((line) => JSON.parse(line)).find(({ event }) => event === "job.ended");
    };
    await withPackages(async () => {
      expect(await ended()).toMatchObject({ status: "success", mode: "full" });
      expect(await ended()).toMatchObject({ status: "success", mode: "incremental" });
    });
    // Bundled, an import loads what it names: not WebSocket and fetch with node:http, which nothing here uses.
    const modules: string[] = JSON.parse(await readFile(listed, "utf8"));
    expect(modules).toContain("NativeModule http");
    expect(modules.filter((name) => name.includes("undici"))).toEqual([]);
    const { items } = await fleet.operator.call("listBackups");
    expect(items.map(({ archive }) => archive.mode).sort()).toEqual(["full", "incremental"]);
  });
});
