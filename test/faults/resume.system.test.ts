// Large uploads that are cut short: while nobody works on them they are no backup, the next attempt sends only what is
// missing, and what comes out in the end is the site, whatever happened to it and to the upload in between.
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, readdir, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AbortMultipartUploadCommand, ListPartsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BackupdProcess, startBackupd } from "#local/backupd-process.ts";
import type { S3Fault } from "#local/s3/faults.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { expectExact, untilTrusted } from "#test/helpers/extracted.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { endLease } from "./end-lease.ts";
import { until } from "./hold.ts";
import { jobIn, type NodeQueue, nodeQueue, type Scheduled, scheduledMessage } from "./node-queue.ts";
import { backupsOf, expectSettled, objectKeys } from "./settled.ts";

const MIB = 1_048_576;
const MEDIA_FILES = 80;
const MEDIA_BYTES = 2 * MIB;
/** What two frames that do not compress take. */
const PART_BYTES = 8 * MIB;
const SITE_BYTES = MEDIA_FILES * MEDIA_BYTES;
/** One part and what is never resumed: the dump, the index, the frame in which packing goes over to directories. */
const SLACK_BYTES = 12 * MIB;

let fleet: Fleet;
let queue: NodeQueue;
let s3: S3Client;
let uploads: string;

beforeAll(async () => {
  fleet = await startFleet();
  queue = await nodeQueue(fleet);
  const { region, masterKeys, s3: server } = fleet.stack;
  s3 = new S3Client({ region, endpoint: server.endpoint, credentials: masterKeys, forcePathStyle: true });
  uploads = join(fleet.demo.siteDir, "wp-content/uploads");
  await makeBatch("photo", MEDIA_FILES);
  for (const batch of ["second", "third", "seventh", "fourth", "eighth", "fifth", "sixth"])
    await makeBatch(batch, MEDIA_FILES / 4);
  await untilTrusted(join(batchDir("sixth"), "sixth-0.jpg"));
  await addBatch("photo");
});
afterEach(() => {
  fleet.s3Wire.fault = () => undefined;
});
afterAll(async () => {
  s3?.destroy();
  queue?.[Symbol.dispose]();
  await fleet?.[Symbol.asyncDispose]();
});

/** More files for the site, so old that their stat can be trusted: moving a directory leaves what is in it as it is. */
const batchDir = (batch: string): string => join(fleet.dir, batch);

async function makeBatch(batch: string, count: number): Promise<void> {
  await mkdir(batchDir(batch));
  for (let n = 0; n < count; n += 1) {
    await writeFile(join(batchDir(batch), `${batch}-${n}.jpg`), randomBytes(MEDIA_BYTES));
  }
}

/** Where it is then. */
async function addBatch(batch: string): Promise<string> {
  const dir = join(uploads, batch);
  await rename(batchDir(batch), dir);
  return dir;
}

const startDaemon = (): Promise<BackupdProcess> =>
  startBackupd({ stateDir: fleet.stateDir, runDir: fleet.dir });

interface OpenParts {
  readonly key: string;
  readonly uploadId: string;
  /** Sizes by number. */
  readonly parts: ReadonlyMap<number, number>;
  readonly bytes: number;
}

/** The parts of the one open upload. */
async function openParts(): Promise<OpenParts> {
  const { openUploads } = await fleet.stack.s3.inspect();
  expect(openUploads).toHaveLength(1);
  const [{ bucket, key, uploadId } = { bucket: "", key: "", uploadId: "" }] = openUploads;
  const place = { Bucket: bucket, Key: key, UploadId: uploadId };
  const { Parts = [] } = await s3.send(new ListPartsCommand(place));
  const parts = new Map(Parts.map(({ PartNumber = 0, Size = 0 }) => [PartNumber, Size]));
  return { key, uploadId, parts, bytes: sum(parts.values()) };
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

interface HeldParts {
  /** Resolves when nothing moves any more and the runner knows of all that has arrived. */
  stands(): Promise<void>;
  /** Every part meets that from now on. */
  release(fault: S3Fault): void;
}

/** From now on so many bytes of parts are let through, and then none. */
function holdPartsAfter(bytes: number): HeldParts {
  const released = Promise.withResolvers<S3Fault>();
  const passed = new Set<number>();
  let held = 0;
  fleet.s3Wire.fault = ({ operation, partNumber = 0 }) => {
    if (operation !== "UploadPart") return undefined;
    if (held === 0 && passed.size * PART_BYTES < bytes) {
      passed.add(partNumber);
      return undefined;
    }
    held += 1;
    return released.promise;
  };
  return {
    async stands() {
      await until("the upload to stand", async () => {
        if (held === 0) return false;
        const { parts } = await openParts();
        const sizes = [...passed].map((number) => parts.get(number));
        const { items } = await fleet.operator.call("listJobs", { query: { state: "running" } });
        return !sizes.includes(undefined) && items[0]?.progress?.bytes_uploaded === sum(sizes as number[]);
      });
    },
    release: (fault) => released.resolve(fault),
  };
}

/** A daemon that works on `message` until so much is in the storage, and is killed there. */
async function killedAt(bytes: number, { jobId, message }: Scheduled): Promise<OpenParts> {
  const before = await objectKeys(fleet);
  const backupsBefore = (await backupsOf(fleet)).length;
  await using daemon = await startDaemon();
  const hold = holdPartsAfter(bytes);
  await queue.send(message);
  await hold.stands();
  process.kill(daemon.pid, "SIGKILL");
  await until("backupd to be dead", () => daemon.hasEnded());
  hold.release("reset");
  fleet.s3Wire.fault = () => undefined;
  expect(await objectKeys(fleet)).toEqual(before);
  expect(await backupsOf(fleet)).toHaveLength(backupsBefore);
  await endLease(jobId);
  return await openParts();
}

async function finished(jobId: string): Promise<Backup> {
  await jobIn(fleet, jobId, "succeeded");
  const [backup, ...others] = await backupsOf(fleet, jobId);
  if (backup === undefined) throw new Error("the job has no backup");
  expect(others).toEqual([]);
  const { archive } = backup;
  expect(archive.bytes_uploaded + archive.bytes_copied + archive.bytes_resumed).toBe(backup.size_bytes);
  await expectSettled(fleet);
  return backup;
}

describe("a backup killed with kill -9", () => {
  it("at 50 % and again at 90 % sends only what was missing, each time", async () => {
    const job = scheduledMessage(fleet.siteId);
    const half = await killedAt(SITE_BYTES * 0.5, job);
    expect(half.bytes).toBeGreaterThan(SITE_BYTES * 0.45);
    const most = await killedAt(SITE_BYTES * 0.4, job);
    expect(most.key).toBe(half.key);
    // It did not begin anew: then there would be half as much again.
    expect(most.bytes).toBeGreaterThan(SITE_BYTES * 0.85);
    expect(most.bytes).toBeLessThan(SITE_BYTES * 0.9 + SLACK_BYTES);

    await using _daemon = await startDaemon();
    await queue.send(job.message);
    const backup = await finished(job.jobId);
    expect(backup).toMatchObject({ s3_path: `/${half.key}`, archive: { mode: "full" } });
    expect(backup.archive.bytes_uploaded).toBeLessThan(backup.size_bytes - most.bytes + SLACK_BYTES);
    await expectExact(fleet, backup);
  });

  it("and a site that has changed since: nothing old is in the backup", async () => {
    const second = await addBatch("second");
    const job = scheduledMessage(fleet.siteId);
    await killedAt(SITE_BYTES * 0.15, job);
    // Of what was copied from the backup before, of what was sent, and new.
    const photos = join(uploads, "photo");
    await appendFile(join(photos, "photo-10.jpg"), "changed");
    await unlink(join(photos, "photo-11.jpg"));
    // In the order in which they were sent.
    const sent = (await readdir(second)).map((name) => join(second, name));
    await appendFile(sent[1] ?? "", "changed");
    await unlink(sent[2] ?? "");
    await rename(sent[3] ?? "", join(second, "renamed.jpg"));
    await writeFile(join(second, "new.txt"), "new");

    await using _daemon = await startDaemon();
    await queue.send(job.message);
    const backup = await finished(job.jobId);
    expect(backup.archive.mode).toBe("incremental");
    expect(backup.archive.bytes_resumed).toBeGreaterThan(PART_BYTES);
    expect(backup.archive.bytes_copied).toBeGreaterThan(SITE_BYTES / 2);
    await expectExact(fleet, backup);
  });

  it("whose upload somebody has aborted begins anew", async () => {
    await addBatch("third");
    const job = scheduledMessage(fleet.siteId);
    const dead = await killedAt(SITE_BYTES * 0.12, job);
    const place = { Bucket: fleet.stack.bucket, Key: dead.key, UploadId: dead.uploadId };
    await s3.send(new AbortMultipartUploadCommand(place));
    await using _daemon = await startDaemon();
    await queue.send(job.message);
    const backup = await finished(job.jobId);
    expect(backup.archive.bytes_resumed).toBe(0);
    await expectExact(fleet, backup);
  });

  it("is begun anew where the storage does not complete what parts are left out of", async () => {
    const batch = await addBatch("seventh");
    const job = scheduledMessage(fleet.siteId);
    await killedAt(SITE_BYTES * 0.12, job);
    const [first = ""] = await readdir(batch);
    await appendFile(join(batch, first), "changed");
    let completions = 0;
    fleet.s3Wire.fault = ({ operation }) => {
      if (operation !== "CompleteMultipartUpload") return undefined;
      completions += 1;
      return completions === 1 ? { status: 400, code: "InvalidPart" } : undefined;
    };
    await using _daemon = await startDaemon();
    await queue.send(job.message);
    const backup = await finished(job.jobId);
    expect(completions).toBe(2);
    // That says nothing about copies.
    expect(backup.archive).toMatchObject({ mode: "incremental", bytes_resumed: 0 });
    expect(await readdir(fleet.stateDir)).not.toContain("storage-quirks.json");
    await expectExact(fleet, backup);
  });
});

describe("an upload that ends early", () => {
  beforeAll(async () => {
    for (const batch of ["photo", "second"]) await rm(join(uploads, batch), { recursive: true });
  });

  it("because the storage refuses is gone on with by the next job", async () => {
    await addBatch("fourth");
    await using _daemon = await startDaemon();
    const hold = holdPartsAfter(SITE_BYTES * 0.1);
    const failing = await fleet.start();
    await hold.stands();
    hold.release({ status: 403, code: "AccessDenied" });
    const failed = await fleet.waitForJob(failing);
    expect(failed).toMatchObject({ state: "failed", error: { code: "storage_denied" } });
    fleet.s3Wire.fault = () => undefined;
    const { key } = await openParts();
    const backup = await finished(await fleet.start());
    expect(backup.s3_path).toBe(`/${key}`);
    expect(backup.archive.bytes_resumed).toBeGreaterThan(5 * MIB);
    await expectExact(fleet, backup);
  });

  it("because the connection is lost until the job gives up is gone on with once it is back", async () => {
    await addBatch("eighth");
    await using _daemon = await startDaemon();
    const hold = holdPartsAfter(SITE_BYTES * 0.12);
    const failing = await fleet.start();
    await hold.stands();
    const sent = await openParts();
    fleet.s3Wire.fault = () => "reset";
    hold.release("reset");
    const failed = await fleet.waitForJob(failing);
    expect(failed).toMatchObject({ state: "failed", error: { code: "storage_unreachable" } });
    fleet.s3Wire.fault = () => undefined;
    expect((await openParts()).bytes).toBeGreaterThanOrEqual(sent.bytes);
    const backup = await finished(await fleet.start());
    expect(backup.s3_path).toBe(`/${sent.key}`);
    const { bytes_uploaded, bytes_resumed } = backup.archive;
    expect(bytes_resumed).toBeGreaterThan(SITE_BYTES * 0.08);
    expect(bytes_uploaded).toBeLessThan((MEDIA_FILES / 4) * MEDIA_BYTES - bytes_resumed + SLACK_BYTES);
    await expectExact(fleet, backup);
  });

  it("because backupd is stopped is gone on with after the restart", async () => {
    await addBatch("fifth");
    let jobId: string;
    {
      await using daemon = await startDaemon();
      const hold = holdPartsAfter(SITE_BYTES * 0.12);
      jobId = await fleet.start();
      await hold.stands();
      await daemon.close();
      hold.release("reset");
      fleet.s3Wire.fault = () => undefined;
    }
    await using _daemon = await startDaemon();
    const backup = await finished(jobId);
    expect(backup.archive.bytes_resumed).toBeGreaterThan(SITE_BYTES * 0.08);
    await expectExact(fleet, backup);
  });

  it("because the operator stops it leaves nothing", async () => {
    await addBatch("sixth");
    await using _daemon = await startDaemon();
    const hold = holdPartsAfter(SITE_BYTES * 0.12);
    const jobId = await fleet.start();
    await hold.stands();
    await fleet.operator.call("stopBackup", { id: fleet.siteId });
    await jobIn(fleet, jobId, "cancelled");
    hold.release("reset");
    await expectSettled(fleet);
  });
});
