// What the demo starts must be gone when it closes, and be found again when it could not close.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { endAbandonedProcess, startOwnProcess } from "#local/own-process.ts";
import { readProcessTable, readPs } from "#local/process-table.ts";
import { makeTempDir } from "./demo/temp-dir.ts";

const MODULE = join(import.meta.dirname, "../../local/own-process.ts");

/** A leader with a worker, both of which would run for long. */
const twoSleepers = (dir: string) =>
  ({
    name: "Sleepers",
    command: "sh",
    args: ["-c", "sleep 600 & sleep 600"],
    endSignal: "SIGTERM",
    logFile: join(dir, "log"),
    recordFile: join(dir, "record.json"),
  }) as const;

async function membersOf(group: number): Promise<number> {
  return (await readProcessTable()).filter((row) => row.group === group && !row.isZombie).length;
}

describe("a process of our own", () => {
  it("ends with its workers and leaves no record", async () => {
    await using dir = await makeTempDir();
    const server = await startOwnProcess(twoSleepers(dir.path));
    await expect.poll(() => membersOf(server.pid)).toBeGreaterThan(1);
    await server.end();
    expect(await membersOf(server.pid)).toBe(0);
    await expect(readFile(join(dir.path, "record.json"))).rejects.toThrow("ENOENT");
  });

  it("can be ended after it crashed", async () => {
    await using dir = await makeTempDir();
    const server = await startOwnProcess(twoSleepers(dir.path));
    process.kill(server.pid, "SIGKILL");
    await expect.poll(() => server.hasEnded()).toBe(true);
    await server.end();
    expect(await membersOf(server.pid)).toBe(0);
  });

  it("tells which program could not be started", async () => {
    await using dir = await makeTempDir();
    const start = startOwnProcess({ ...twoSleepers(dir.path), command: "/no/such/program" });
    await expect(start).rejects.toThrow("Sleepers could not be started (/no/such/program)");
  });

  it("is refused to a second owner while the first lives", async () => {
    await using dir = await makeTempDir();
    const { recordFile } = twoSleepers(dir.path);
    const server = await startOwnProcess(twoSleepers(dir.path));
    try {
      await expect(endAbandonedProcess("Sleepers", recordFile)).rejects.toThrow(
        `in use by process ${process.pid}`,
      );
      expect(await membersOf(server.pid)).toBeGreaterThan(0);
    } finally {
      await server.end();
    }
  });

  it("is ended by the next owner when the first was killed", async () => {
    await using dir = await makeTempDir();
    const options = twoSleepers(dir.path);
    const program = `
      const { startOwnProcess } = await import(${JSON.stringify(MODULE)});
      const { pid } = await startOwnProcess(${JSON.stringify(options)});
      console.log(pid);
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(owner.stdout, "data");
    const group = Number(String(line));
    owner.kill("SIGKILL");
    await once(owner, "exit");
    expect(await membersOf(group)).toBeGreaterThan(0);
    await endAbandonedProcess("Sleepers", options.recordFile);
    expect(await membersOf(group)).toBe(0);
  });

  it("is not mistaken for a stranger with the same pid", async () => {
    await using dir = await makeTempDir();
    const { recordFile } = twoSleepers(dir.path);
    const stranger = await startOwnProcess(twoSleepers(dir.path));
    try {
      const record = JSON.parse(await readFile(recordFile, "utf8"));
      await writeFile(
        recordFile,
        JSON.stringify({ ...record, child: { ...record.child, birth: "another" } }),
      );
      await endAbandonedProcess("Sleepers", recordFile);
      expect(await membersOf(stranger.pid)).toBeGreaterThan(0);
    } finally {
      await stranger.end();
    }
  });
});

describe("the process table", () => {
  it("says the same from ps as from the system's own list", async () => {
    const find = (rows: Awaited<ReturnType<typeof readPs>>) => rows.find((row) => row.pid === process.pid);
    const [own, fromPs] = [find(await readProcessTable()), find(await readPs())];
    expect(fromPs).toMatchObject({ pid: process.pid, group: own?.group, isZombie: false });
    expect(fromPs?.birth).not.toBe("");
  });
});
