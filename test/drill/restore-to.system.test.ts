// Backups made over the wire, read back by the node's own command line: listed, looked into, verified, extracted, and
// found out when somebody has changed them in the bucket.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";

let fleet: Fleet;
let backup: Backup;
beforeAll(async () => {
  fleet = await startFleet();
  const { code, stderr } = await fleet.backupd("run-once");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const [newest] = (await fleet.operator.call("listBackups")).items;
  if (newest === undefined) throw new Error("no backup was made");
  backup = newest;
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});

function lastJson(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

it("lists the node's backups", async () => {
  const human = await fleet.backupd("list");
  expect(human.stdout).toContain(backup.id.slice(0, 8));
  expect(human.stdout).toContain("shop.example.com");
  const machine = await fleet.backupd("list", "--site", "shop.example.com", "--json");
  expect(lastJson(machine.stdout)).toMatchObject({ id: backup.id });
});

it("shows what is in a backup, one directory at a time, reading its end only", async () => {
  const { stdout } = await fleet.backupd("files", "latest", "wp-content", "--json");
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { name: string; type: string; files: number });
  expect(rows.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["wp-content/plugins", "wp-content/uploads"]),
  );
  const files = rows.reduce((sum, row) => sum + row.files, 0);
  // All but wp-config.php, and symbolic links count as files to whoever looks.
  expect(files).toBeGreaterThanOrEqual(backup.archive.files - 1);
});

it("finds a whole backup good", async () => {
  const { code, stdout } = await fleet.backupd("verify", backup.id, "--json");
  expect(code).toBe(0);
  const { frames, files, db_bytes } = backup.archive;
  const said = lastJson(stdout);
  expect(said).toMatchObject({
    event: "verify.good",
    findings: [],
    frames,
    files,
    db_bytes,
    trust: "record",
  });
  expect(said.tables).toBeGreaterThanOrEqual(12);
  const record = await fleet.operator.call("getBackup", { id: backup.id });
  expect([record.verified_at === null, record.verification_failed]).toEqual([false, null]);
});

it("extracts the site as it is, by the beginning of its id", async () => {
  const to = join(fleet.dir, "restored");
  const { code, stderr } = await fleet.backupd("restore", backup.id.slice(0, 6), "--to", to);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toContain("the Master's record vouches for");
  const different = await compareTrees(join(fleet.demo.siteDir, "wp-content"), join(to, "wp-content"), {
    excludedDirs: ["cache", "node_modules"],
    mtimeSlackNs: 300n,
  });
  expect(different).toEqual([]);
  expect(await readFile(join(to, "database.sql"), "utf8")).toMatch(/-- Dump completed\n$/);
});

it("goes on with a new URL when the storage refuses the old one", async () => {
  let refused = 0;
  fleet.s3Wire.fault = ({ operation }) => {
    if (operation !== "GetObject" || refused > 0) return undefined;
    refused += 1;
    return { status: 403, code: "AccessDenied" };
  };
  const to = join(fleet.dir, "renewed");
  const { code, stderr } = await fleet.backupd("restore", "latest", "--to", to, "--only", "config");
  fleet.s3Wire.fault = () => undefined;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(refused).toBe(1);
  expect(await readdir(to)).toEqual(["wp-config.php"]);
});

it("verifies when the API asks for it, and the record says so", async () => {
  await fleet.startDaemon();
  const { job_id } = await fleet.operator.call("verifyBackup", { id: backup.id, body: { deep: false } });
  const job = await fleet.waitForJob(job_id);
  const { frames, entries } = backup.archive;
  expect(job).toMatchObject({ state: "succeeded", error: null, result: { verify: { frames, deep: false } } });
  // The dump is an entry, too.
  expect(job.result?.verify?.entries).toBe(entries + 1);
  const record = await fleet.operator.call("getBackup", { id: backup.id });
  expect(record.verified_at).not.toBeNull();
  expect(record.proved_at).toBeNull();
});

it("refuses an archive that somebody has changed in the bucket, and says what is wrong with it", async () => {
  const s3 = new S3Client({
    endpoint: fleet.stack.s3.endpoint,
    region: fleet.stack.region,
    credentials: fleet.stack.masterKeys,
    forcePathStyle: true,
  });
  const place = { Bucket: fleet.stack.bucket, Key: backup.s3_path.slice(1) };
  const { Body: body } = await s3.send(new GetObjectCommand(place));
  const bytes = Buffer.from((await body?.transformToByteArray()) ?? []);
  bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
  await s3.send(new PutObjectCommand({ ...place, Body: bytes }));
  s3.destroy();
  const { code, stderr } = await fleet.backupd("verify", "latest");
  expect({ code, stderr }).toMatchObject({ code: 1 });
  expect(stderr).toContain("it has been replaced since");
  const { job_id } = await fleet.operator.call("verifyBackup", { id: backup.id, body: { deep: false } });
  const job = await fleet.waitForJob(job_id);
  expect(job).toMatchObject({ state: "failed", error: { code: "archive_corrupt" } });
  expect(job.findings).toHaveLength(1);
  const restored = await fleet.backupd("restore", "latest", "--to", join(fleet.dir, "forged"));
  expect(restored.code).toBe(1);
  expect(await readdir(fleet.dir)).not.toContain("forged");
});

it.each([
  [
    "a site that is not here",
    ["restore", "latest", "--site", "nope", "--to", "/tmp/x"],
    "This node has no site nope",
  ],
  ["a backup that is none", ["files", "ffffffff"], "There is no backup ffffffff"],
])("says what is wrong with %s", async (_what, args, words) => {
  const { code, stderr } = await fleet.backupd(...args);
  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain(words);
});
