// backupd as a process: signals, kill -9, a second process, and what the next start makes of what is left.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

const SCRIPT = fileURLToPath(new URL("scripted-runner.ts", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  until(text: string): Promise<void>;
  readonly exited: Promise<[code: number | null, signal: string | null]>;
}

let harness: Harness;
const children: ChildProcess[] = [];

beforeEach(async () => {
  harness = await startHarness();
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
  await harness[Symbol.asyncDispose]();
});

function start(mode: "hang" | "stuck" | "succeed"): Running {
  const child = spawn(process.execPath, [SCRIPT, harness.dir, mode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const exited = once(child, "exit") as Running["exited"];
  let output = "";
  const looks = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    for (const look of looks) look();
  });
  const until = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
      };
      looks.add(look);
      look();
      void exited.then(() => reject(new Error(`ended before "${text}":\n${output}`)));
    });
  return { child, output: () => output, until, exited };
}

const queueJob = async (): Promise<string> => {
  const jobId = randomUUID();
  await harness.queue.send({
    v: 1,
    type: "backup",
    trigger: "manual",
    site_id: harness.siteId,
    job_id: jobId,
  });
  return jobId;
};
const left = async (): Promise<string[]> => [
  ...(await readdir(join(harness.dir, "spool"))),
  ...(await readdir(join(harness.dir, "uploads"))),
];

describe("SIGTERM", () => {
  test("in the middle of a job gives it back, cleans up and ends well", async () => {
    const jobId = await queueJob();
    const runner = start("hang");
    await runner.until("test.working");
    runner.child.kill("SIGTERM");
    expect(await runner.exited).toEqual([0, null]);
    expect(harness.master.jobs.get(jobId)?.job).toMatchObject({
      state: "queued",
      error: { code: "interrupted" },
    });
    expect(await harness.queue.take()).toContain(jobId);
    expect(await readdir(join(harness.dir, "spool"))).toEqual([]);
  });

  test("while idle ends at once", async () => {
    const runner = start("hang");
    await runner.until("queue.opened");
    runner.child.kill("SIGTERM");
    expect(await runner.exited).toEqual([0, null]);
  });

  test("twice ends also a job that does not listen", async () => {
    await queueJob();
    const runner = start("stuck");
    await runner.until("test.working");
    runner.child.kill("SIGTERM");
    await runner.until("stop.requested");
    runner.child.kill("SIGTERM");
    expect(await runner.exited).toEqual([143, null]);
  });
});

describe("kill -9", () => {
  test("in the middle of a job: the next start removes what was left and aborts the open upload", async () => {
    const jobId = await queueJob();
    const first = start("hang");
    await first.until("test.working");
    first.child.kill("SIGKILL");
    await first.exited;
    expect(await left()).toEqual([jobId, `${jobId}.lock`, `${jobId}.ledger`]);

    const second = start("succeed");
    await second.until("queue.opened");
    expect(second.output()).toMatch(/"upload_id":"u1","event":"test.upload_aborted"/);
    expect(second.output()).toContain("startup.spool_removed");
    expect(await left()).toEqual([]);
  });

  test("with a report that the Master has not taken: the next start sends it", async () => {
    harness.master.script("reportBackup", () => "hang up");
    const jobId = await queueJob();
    const first = start("succeed");
    const tried = harness.master.nextCall("reportBackup");
    await tried;
    first.child.kill("SIGKILL");
    await first.exited;
    expect((await readdir(join(harness.dir, "outbox"))).filter((name) => name.includes(jobId))).toHaveLength(
      1,
    );

    harness.master.script("reportBackup", undefined);
    const second = start("succeed");
    await second.until("outbox.sent");
    expect(harness.master.reports).toMatchObject([{ job_id: jobId, status: "success" }]);
  });
});

describe("a second process on the same state directory", () => {
  test("is refused while the first lives, and let in when that was killed", async () => {
    const first = start("hang");
    await first.until("queue.opened");
    const second = start("hang");
    expect(await second.exited).toEqual([1, null]);
    expect(second.output()).toContain("already_running");
    first.child.kill("SIGKILL");
    await first.exited;
    const third = start("hang");
    await third.until("queue.opened");
  });
});

test("nothing secret is ever logged", async () => {
  await queueJob();
  const runner = start("hang");
  await runner.until("test.working");
  runner.child.kill("SIGTERM");
  await runner.exited;
  expect(runner.output()).toContain("[redacted]");
  expect(runner.output()).not.toContain("PLANTED");
  expect(runner.output()).not.toContain("AGE-SECRET-KEY");
});
