// The real work of verify, restore and undo jobs on an archive that the product packed, started by the Master's API.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { engine } from "#runner/engine.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { makeSite, packTo } from "#test/runner/io/pack-to-tree.ts";
import { type JobRig, startJobRig } from "./job-rig.ts";

const DUMP = `${"INSERT INTO wp_posts VALUES (1);\n".repeat(300)}-- Dump completed\n`;
const PICTURE = randomBytes(30_000);

let master: Master;
let object: Buffer;
let sha256Index: string;
beforeAll(async () => {
  await using site = await makeSite();
  await mkdir(join(site.content, "uploads/2026"), { recursive: true });
  await writeFile(join(site.content, "uploads/2026/a.jpg"), PICTURE);
  const packed = await packTo(join(site.dir, "packed.tar.zst"), site, { frameBytes: 8_192, dump: DUMP });
  object = await readFile(packed.archive);
  sha256Index = sha256(Buffer.concat(packed.result.index));
  master = await startMaster();
});
afterAll(() => master.close());

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

function rigWith(body: Buffer): Promise<JobRig> {
  return startJobRig(master, { body, archive: { sha256_index: sha256Index, sha256_dump: sha256(DUMP) } });
}

function damaged(at: number): Buffer {
  const copy = Buffer.from(object);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

const work = (rig: JobRig): Promise<void> => rig.work(engine.runJobs ?? {});

test("a verification reads everything and says so in the record", async () => {
  await using rig = await rigWith(object);
  const { job_id: id } = await master.admin.call("verifyBackup", { id: rig.backup.id, body: {} });
  await work(rig);
  const job = await rig.jobOf(id);
  expect(job).toMatchObject({ state: "succeeded", result: { verify: { deep: false, rows: null } } });
  expect(job.result?.verify?.db_bytes).toBe(DUMP.length);
  expect((await master.admin.call("getBackup", { id: rig.backup.id })).verified_at).not.toBeNull();
});

test("a flipped byte in a frame is found, and the record says which backup is damaged", async () => {
  await using rig = await rigWith(damaged(1000));
  const { job_id: id } = await master.admin.call("verifyBackup", { id: rig.backup.id, body: {} });
  await work(rig);
  const job = await rig.jobOf(id);
  expect([job.state, job.error?.code, job.findings.length > 0]).toEqual(["failed", "archive_corrupt", true]);
  const { verification_failed: failed } = await master.admin.call("getBackup", { id: rig.backup.id });
  expect(failed).toMatchObject({ job_id: id, deep: false });
});

test("a restore into a directory has what was asked for, byte for byte", async () => {
  await using rig = await rigWith(object);
  const to = join(rig.dir, "restored");
  const body = { to, paths: ["wp-config.php", "wp-content/uploads/2026"] };
  const { job_id: id } = await master.admin.call("restoreBackup", { id: rig.backup.id, body });
  await work(rig);
  expect(await rig.jobOf(id)).toMatchObject({ state: "succeeded", result: { restore: { files: 2 } } });
  expect((await readFile(join(to, "wp-content/uploads/2026/a.jpg"))).equals(PICTURE)).toBe(true);
  expect(await readFile(join(to, "wp-config.php"), "utf8")).toBe("<?php // config\n");
});

test("a directory that is not empty is refused, and nothing in it touched", async () => {
  await using rig = await rigWith(object);
  const { job_id: id } = await master.admin.call("restoreBackup", {
    id: rig.backup.id,
    body: { to: rig.dir },
  });
  await work(rig);
  expect(await rig.jobOf(id)).toMatchObject({ state: "failed", error: { code: "restore_target_unusable" } });
});

test("an undo without a restore has nothing to undo", async () => {
  await using rig = await rigWith(object);
  const { job_id: id } = await master.admin.call("undoRestore", { id: rig.site.id, body: {} });
  await work(rig);
  expect(await rig.jobOf(id)).toMatchObject({ state: "failed", error: { code: "nothing_to_undo" } });
});
