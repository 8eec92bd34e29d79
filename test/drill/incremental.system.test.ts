// A real site backed up again and again through the whole system: what has not changed is copied inside S3, what comes
// out with stock tools is the site of that moment, and a storage that will not copy gets a full archive instead.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { lstatSync } from "node:fs";
import { appendFile, mkdir, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { backupdLauncher } from "#local/backupd-launcher.ts";
import { inheritedEnvironment } from "#local/own-process.ts";
import { runProgram } from "#local/run-program.ts";
import type { S3Fault } from "#local/s3/faults.ts";
import type { OperationName } from "#local/s3/target.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { expectOneBackupMore } from "#test/faults/clean-end.ts";
import { until } from "#test/faults/hold.ts";
import { expectExact, untilTrusted } from "#test/helpers/extracted.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { type SecondStorage, startSecondStorage } from "#test/helpers/second-storage.ts";

const MIB = 1_048_576;
const MEDIA_FILES = 40;

let fleet: Fleet;
let uploads: string;
const seen: OperationName[] = [];
let fault: (operation: OperationName) => S3Fault | undefined | Promise<undefined> = () => undefined;

beforeAll(async () => {
  fleet = await startFleet();
  fleet.s3Wire.fault = ({ operation }) => {
    seen.push(operation);
    return fault(operation);
  };
  uploads = join(fleet.demo.siteDir, "wp-content/uploads/media");
  await mkdir(uploads);
  for (let n = 0; n < MEDIA_FILES; n += 1) {
    await writeFile(join(uploads, `photo-${n}.jpg`), randomBytes(MIB / 4));
  }
  await fleet.startDaemon();
});
afterEach(() => {
  seen.length = 0;
  fault = () => undefined;
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

async function backUp(start: () => Promise<string> = () => fleet.start()): Promise<Backup> {
  const job = await expectOneBackupMore(fleet, async () => await fleet.waitForJob(await start()));
  return await fleet.operator.call("getBackup", { id: job.backup_id ?? "" });
}

describe("backups of one site, one after another", () => {
  it("begin with a full one", async () => {
    await untilTrusted(join(uploads, `photo-${MEDIA_FILES - 1}.jpg`));
    const first = await backUp();
    expect(first.archive).toMatchObject({ mode: "full", full_reason: "no_previous", bytes_copied: 0 });
    expect(first.archive.bytes_uploaded).toBe(first.size_bytes);
    expect(first.size_bytes).toBeGreaterThan(10 * MIB);
    await expectExact(fleet, first);
  });

  it("send little more than the dump and the index when nothing has changed", async () => {
    const backup = await backUp();
    const { archive } = backup;
    expect(archive).toMatchObject({ mode: "incremental", full_reason: null });
    expect(archive).toMatchObject({ entries_changed: 0, entries_added: 0, entries_deleted: 0 });
    expect(archive.entries_unchanged).toBe(archive.entries);
    expect(archive.bytes_uploaded + archive.bytes_copied).toBe(backup.size_bytes);
    expect(archive.bytes_read).toBe(archive.db_bytes);
    expect(seen).toContain("UploadPartCopy");
    expect(seen).not.toContain("GetObject"); // The index was still on the node.
    const dir = await expectExact(fleet, backup);
    const dump = join(dir, "database.sql");
    await runProgram("zstd", ["-q", "-3", dump]);
    const dumpBytes = lstatSync(`${dump}.zst`).size;
    expect(archive.bytes_uploaded).toBeLessThanOrEqual(dumpBytes + archive.index_bytes + 65_536);
  });

  it("hold what was changed, added, renamed and deleted, and nothing else is read", async () => {
    await appendFile(join(uploads, "photo-39.jpg"), "more");
    await writeFile(join(uploads, "zz-new.txt"), "new");
    await unlink(join(uploads, "photo-38.jpg"));
    await rename(join(uploads, "photo-37.jpg"), join(uploads, "zz-renamed.jpg"));
    const backup = await backUp();
    const { archive } = backup;
    expect(archive).toMatchObject({ mode: "incremental", entries_added: 2, entries_deleted: 2 });
    const ofFiles = { unchanged: archive.files - 3, changed: 1, added: 2, deleted: 2 };
    expect(archive.files_compared).toEqual(ofFiles);
    expect(archive.bytes_copied).toBeGreaterThan(5 * MIB);
    expect(archive.bytes_read - archive.db_bytes).toBeLessThan(6 * MIB);
    await expectExact(fleet, backup);
  });

  it("read the index from the storage when the node has lost it", async () => {
    await untilTrusted(join(uploads, "zz-renamed.jpg"));
    await rm(join(fleet.stateDir, "index", fleet.siteId));
    const backup = await backUp();
    expect(backup.archive.mode).toBe("incremental");
    expect(seen.filter((operation) => operation === "GetObject").length).toBeGreaterThan(0);
    await expectExact(fleet, backup);
  });

  it("are full when that is asked for, by API or by hand on the node", async () => {
    const { operator, siteId: id } = fleet;
    const byApi = await backUp(
      async () => (await operator.call("startBackup", { id, body: { full: true } })).job_id,
    );
    expect(byApi.archive).toMatchObject({ mode: "full", full_reason: "requested", bytes_copied: 0 });
    const { code, stderr } = await fleet.backupd("run-once", "--site", id, "--full");
    expect(code).toBe(0);
    expect(stderr).toContain("packed in full: that was asked for");
    const { items } = await operator.call("listBackups", { query: { site_id: id } });
    expect(items[0]?.archive.full_reason).toBe("requested");
  });
});

describe("run-once", () => {
  /** Runs it with its archive held back until it has printed `awaited`. */
  async function runUntilSaid(program: string, args: readonly string[], awaited: RegExp): Promise<string> {
    const held = Promise.withResolvers<undefined>();
    fault = (operation) => (operation === "CreateMultipartUpload" ? held.promise : undefined);
    const child = spawn(program, args, { env: inheritedEnvironment(), stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const closed = once(child, "close");
    try {
      await until(`${awaited}`, () => awaited.test(output));
    } finally {
      held.resolve(undefined);
    }
    expect(await closed, output).toEqual([0, null]);
    return output;
  }
  const runOnce = (): string[] => ["run-once", "--site", fleet.siteId, "--state-dir", fleet.stateDir];

  it("shows a terminal how far it is in one line, and then what it did", async () => {
    const command = [backupdLauncher(), ...runOnce()].join(" ");
    const output = await runUntilSaid(
      "script",
      ["--quiet", "--return", "--command", command, "/dev/null"],
      /\r.\[2K\S+ {2}archive {2}\d+\.\d%/,
    );
    // The live line is wiped before each line that stays, and may be drawn again below it.
    const said = output.replaceAll("\u001b[2K", "\n");
    for (const word of ["archive ", "files ", "entries ", "bytes ", "cost ", "time "])
      expect(said).toContain(`\n  ${word}`);
  });

  it("tells a machine each stage, the progress, and all that it did and cost", async () => {
    const args = [...runOnce(), "--json"];
    const output = await runUntilSaid(backupdLauncher(), args, /"event":"progress"/);
    const events = output
      .trimEnd()
      .split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line));
    const stages = events.filter(({ event }) => event === "stage.started").map(({ stage }) => stage);
    expect(stages).toEqual(["preflight", "quota", "dump", "plan", "archive", "complete"]);
    const progress = events.find(({ event }) => event === "progress");
    expect(progress).toMatchObject({ site_id: fleet.siteId, stage: expect.any(String) });
    expect(progress).toMatchObject({ bytes_done: expect.any(Number), bytes_per_second: expect.any(Number) });
    const { items } = await fleet.operator.call("listBackups", { query: { site_id: fleet.siteId } });
    const [newest] = items;
    if (newest === undefined) throw new Error("there is no backup");
    const { archive, size_bytes, stages: times } = newest;
    const { files_compared: files, bytes_read, bytes_compressed, bytes_uploaded, bytes_copied } = archive;
    const told = {
      files: archive.files,
      ...files,
      bytes_read,
      bytes_compressed,
      bytes_uploaded,
      bytes_copied,
    };
    const { requests, peak_rss_bytes } = archive;
    const seconds = Object.fromEntries(times.map((time) => [time.name, time.seconds]));
    expect(events.find(({ event }) => event === "job.ended")).toMatchObject({
      ...told,
      requests,
      peak_rss_bytes,
      seconds,
    });
    expect((files?.unchanged ?? 0) + (files?.changed ?? 0) + (files?.added ?? 0)).toBe(archive.files);
    expect(bytes_uploaded + bytes_copied).toBe(size_bytes);
    expect(bytes_compressed).toBeGreaterThan(0);
    expect(bytes_compressed).toBeLessThan(bytes_read);
    // After them, the Master has looked at what was reported.
    expect(seen.at(-1)).toBe("HeadObject");
    expect(requests).toBe(seen.length - 1);
    expect(Object.keys(seconds)).toEqual(stages);
    expect(seconds["archive"]).toBeGreaterThan(0);
    expect(peak_rss_bytes).toBeGreaterThan(20 * MIB);
    expect(peak_rss_bytes).toBeLessThan(500 * MIB);
  });
});

describe("a storage that does not copy", () => {
  it.each([
    { says: { status: 412, code: "PreconditionFailed" }, reason: "source_changed" },
    { says: { status: 404, code: "NoSuchKey" }, reason: "source_gone" },
    { says: { status: 403, code: "InvalidObjectState" }, reason: "source_cold" },
    { says: { status: 501, code: "NotImplemented" }, reason: "copy_refused" },
  ])("and says $says.code: the same job packs in full", async ({ says, reason }) => {
    fault = (operation) => (operation === "UploadPartCopy" ? says : undefined);
    const backup = await backUp();
    expect(seen).toContain("UploadPartCopy");
    expect(backup.archive).toMatchObject({ mode: "full", full_reason: reason, bytes_copied: 0 });
    await expectExact(fleet, backup);
  });

  it("nor takes parts of different sizes: the same job sends parts of one size, and the next knows", async () => {
    let completions = 0;
    fault = (operation) => {
      if (operation !== "CompleteMultipartUpload") return undefined;
      completions += 1;
      return completions <= 2 ? { status: 400, code: "InvalidPart" } : undefined;
    };
    const backup = await backUp();
    // First without copies, then in equal parts.
    expect(completions).toBe(3);
    expect(backup.archive).toMatchObject({ mode: "full", full_reason: "copy_refused" });
    await expectExact(fleet, backup);
    seen.length = 0;
    expect((await backUp()).archive).toMatchObject({ mode: "full", full_reason: "copy_refused" });
    expect(seen).not.toContain("UploadPartCopy");
    expect(completions).toBe(4);
    await rm(join(fleet.stateDir, "storage-quirks.json"));
  });

  it("at first, but then does: nobody notices", async () => {
    let met = 0;
    fault = (operation) => {
      if (operation !== "UploadPartCopy" || met > 0) return undefined;
      met += 1;
      return { status: 503, code: "SlowDown" };
    };
    expect((await backUp()).archive.mode).toBe("incremental");
    expect(met).toBe(1);
  });
});

describe("a site that goes to another storage", () => {
  let elsewhere: SecondStorage;
  let firstThere: Backup;
  beforeAll(async () => {
    elsewhere = await startSecondStorage();
  });
  afterAll(async () => {
    await elsewhere?.[Symbol.asyncDispose]();
  });

  async function backUpThere(): Promise<Backup> {
    const job = await fleet.waitForJob(await fleet.start());
    expect(job, JSON.stringify(job.error)).toMatchObject({ state: "succeeded" });
    return await fleet.operator.call("getBackup", { id: job.backup_id ?? "" });
  }
  const choose = (id: string) =>
    fleet.operator.call("patchSite", { id: fleet.siteId, body: { storage_provider_id: id } });

  it("is packed in full there, by the storage's own keys, and then copies there what has not changed", async () => {
    const { id } = await fleet.operator.call("createStorageProvider", { body: elsewhere.provider });
    expect(await fleet.operator.call("testStorageProvider", { id })).toMatchObject({ usable: true });
    await choose(id);
    firstThere = await backUpThere();
    expect(firstThere).toMatchObject({ provider_id: id, archive: { full_reason: "storage_changed" } });
    await expectExact(fleet, firstThere);
    expect(seen.filter((operation) => operation.includes("Upload"))).toEqual([]);
    const second = await backUpThere();
    expect(second.archive).toMatchObject({ mode: "incremental", full_reason: null });
    await expectExact(fleet, second);
    await fleet.operator.call("deleteBackup", { id: second.id });
    const { objects, openUploads } = await elsewhere.server.inspect();
    expect([objects.map(({ key }) => `/${key}`), openUploads]).toEqual([[firstThere.s3_path], []]);
  });

  it("is full again when it comes back, and what lies there is still verified, restored and told by its node", async () => {
    await choose("default");
    const back = await backUpThere();
    expect(back).toMatchObject({ provider_id: "default", archive: { full_reason: "storage_changed" } });
    await expectExact(fleet, back);
    const { operator } = fleet;
    const { job_id: verification } = await operator.call("verifyBackup", { id: firstThere.id, body: {} });
    expect(await fleet.waitForJob(verification)).toMatchObject({ state: "succeeded" });
    const { code, stderr } = await fleet.backupd("restore", firstThere.id, "--to", join(fleet.dir, "there"));
    expect(code, stderr).toBe(0);
    expect(lstatSync(join(fleet.dir, "there/database.sql")).size).toBeGreaterThan(1000);
  });

  it("sends in full and in equal parts where a test has found that it has to be so", async () => {
    const { id } = await fleet.operator.call("createStorageProvider", {
      body: { ...elsewhere.provider, name: "like R2" },
    });
    elsewhere.wire.fault = ({ operation, key }) =>
      operation === "CompleteMultipartUpload" && key.endsWith("/mixed")
        ? { status: 400, code: "InvalidPart" }
        : undefined;
    const found = await fleet.operator.call("testStorageProvider", { id });
    expect(found).toMatchObject({ usable: true, features: { mixed_part_sizes: false } });
    await choose(id);
    await backUpThere();
    const copies: OperationName[] = [];
    elsewhere.wire.fault = ({ operation }) => {
      if (operation === "UploadPartCopy") copies.push(operation);
      return undefined;
    };
    expect((await backUpThere()).archive).toMatchObject({ mode: "full", full_reason: "copy_refused" });
    expect(copies).toEqual([]);
    await choose("default");
  });
});
