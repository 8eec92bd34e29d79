// No program of a job's outlives it: not when it is disposed of, not when it is killed, and not when a later one finds it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endProcessesIn } from "#runner/io/end-left-processes.ts";
import { startOwned } from "#runner/io/proof/owned-process.ts";
import { until } from "#test/faults/hold.ts";
import { descendantsOf, isAlive } from "#test/helpers/descendants.ts";

const isLinux = process.platform === "linux";
const never = new AbortController().signal;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "backupd-owned-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const start = (script: string) =>
  startOwned("/bin/sh", ["-c", script], { cwd: dir, logFile: join(dir, "log"), signal: never });

test("how it ended is told as it is, with its last words", async () => {
  await using good = await start("exit 0");
  expect(await good.ended).toBe("code 0");
  await using bad = await start("echo an error of its own; exit 7");
  expect(await bad.ended).toBe("code 7");
  expect(await bad.lastWords()).toBe("an error of its own");
  await using shot = await start("kill -SEGV $$");
  expect(await shot.ended).toBe("SIGSEGV");
});

test.runIf(isLinux)("disposing of it leaves neither it nor what it has started nor its guard", async () => {
  const before = descendantsOf(process.pid);
  const owned = await start("sleep 300 & sleep 301");
  const started = await until("its sleeps", () => {
    const fresh = descendantsOf(process.pid).filter(({ pid }) => !before.some((each) => each.pid === pid));
    return fresh.filter(({ name }) => name === "sleep").length === 2 && fresh;
  });
  expect(started.map(({ name }) => name)).toContain("sh");
  await owned[Symbol.asyncDispose]();
  await until("their end", () => !started.some(isAlive));
});

test.runIf(isLinux)("a kill -9 of ours ends it with all that it has started", async () => {
  const owner = spawn(process.execPath, [join(import.meta.dirname, "mortal-owner.ts"), dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(owner.stdout, "data");
  const started = descendantsOf(owner.pid ?? 0);
  expect(started.length).toBeGreaterThan(1);
  owner.kill("SIGKILL");
  await until("their end", () => !started.some(isAlive));
});

test.runIf(isLinux)(
  "what a dead job left in its directory is found by that, and nothing else is",
  async () => {
    const [job, other] = [join(dir, "job"), join(dir, "job-2")];
    for (const each of [job, other]) mkdirSync(each);
    const [left, stranger] = [job, other].map((cwd) => spawn("sleep", ["300"], { cwd, stdio: "ignore" }));
    const gone = once(left ?? expect.fail(), "exit");
    await endProcessesIn(job);
    expect(await gone).toEqual([null, "SIGKILL"]);
    expect(stranger?.exitCode ?? stranger?.signalCode).toBeNull();
    stranger?.kill();
  },
);
