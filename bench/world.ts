// Where the measuring happens: the local stack, a small real database, one enrolled node, and `backupd run-once` as it
// is installed (npm run package), a process of its own that is watched from outside.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { z } from "zod";
import { ensureEnrolled } from "#local/backupd-process.ts";
import { type Mariadb, startMariadb } from "#local/demo/mariadb.ts";
import { ensureDatabase } from "#local/demo/wordpress.ts";
import { renderWpConfig } from "#local/demo/wp-config.ts";
import { inheritedEnvironment } from "#local/own-process.ts";
import { type Stack, startStack } from "#local/stack.ts";
import { decodeIndex } from "#runner/io/decode-index.ts";
import { createMasterClient, type MasterClient } from "#runner/io/master-client.ts";
import { readIndex } from "#runner/io/read-index.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { objectKey } from "#shared/object-key.ts";
import { packageRunner } from "../scripts/package-runner.mjs";

const INSTALLED = fileURLToPath(new URL("../dist/backupd", import.meta.url));
const LAUNCHER = join(INSTALLED, "bin/backupd");
const SAMPLE_MS = 20;

export interface OurRun {
  /** Of the whole process: Node's start and the talk with the Master included. */
  readonly seconds: number;
  /** What the report says, from the claim to the completed archive. */
  readonly jobSeconds: number;
  /** What the storage came to hold: counted there, not by the runner. */
  readonly bytesSent: number;
  readonly peakRssBytes: number;
  /** Of all its threads: what other work on the machine does not change much. */
  readonly cpuSeconds: number;
  readonly backup: Backup;
}

export interface OurRestore {
  /** Of the whole process. */
  readonly seconds: number;
  /** Extracting, once the archive is open. */
  readonly jobSeconds: number;
  readonly peakRssBytes: number;
  /** User and system: on a busy machine seconds say little. */
  readonly cpuSeconds: number;
  readonly bytesDownloaded: number;
  readonly requests: number;
}

export interface World extends AsyncDisposable {
  readonly stack: Stack;
  readonly s3: S3Client;
  /** A site without any backup yet, until it is forgotten: one directory is one site's. */
  register(siteDir: string): Promise<string>;
  forget(siteId: string): Promise<void>;
  backUp(siteId: string): Promise<OurRun>;
  /** `backupd restore --to` of that backup into a new directory, which stays: see `timeCurlTar`. */
  restore(backup: Backup, paths: readonly string[]): Promise<OurRestore>;
  /** What the dump takes in that archive. */
  dumpStoredBytes(backup: Backup): Promise<number>;
  /** A presigned URL of the archive, as the dashboard gives it. */
  urlOf(backup: Backup): Promise<string>;
  writeConfig(siteDir: string): Promise<void>;
  createBucket(bucket: string): Promise<void>;
  empty(bucket: string): Promise<void>;
}

export async function startWorld(dir: string): Promise<World> {
  await packageRunner(INSTALLED);
  await using starting = new AsyncDisposableStack();
  const stack = starting.use(await startStack({ dir: join(dir, "stack"), firstPort: 0 }));
  const mariadb = starting.use(await startMariadb({ dataDir: join(dir, "mysql"), port: 0 }));
  const db = await makeDatabase(mariadb);
  const operator = operatorOf(stack);
  const stateDir = join(dir, "node");
  await ensureEnrolled({
    stateDir,
    masterUrl: stack.apiUrl,
    name: "bench.example.com",
    makeToken: async () => (await operator.call("createEnrollmentToken", { body: {} })).token,
  });
  const [node] = (await operator.call("listNodes", {})).items;
  if (node === undefined) throw new Error("enrolment left no node");
  const s3 = new S3Client({
    endpoint: stack.s3.endpoint,
    region: stack.region,
    credentials: stack.masterKeys,
    forcePathStyle: true,
  });
  starting.defer(() => s3.destroy());
  const running = starting.move();
  let sites = 0;
  return {
    stack,
    s3,
    async register(siteDir) {
      sites += 1;
      const body = { node_id: node.id, name: `site-${sites}-${process.pid}.example.com`, path: siteDir };
      return (await operator.call("createSite", { body })).id;
    },
    async forget(siteId) {
      await operator.call("deleteSite", { params: { id: siteId } });
    },
    backUp: (siteId) => backUp(siteId, stateDir, stack, operator),
    restore: (backup, paths) => restore(backup, paths, stateDir, dir),
    dumpStoredBytes: (backup) => dumpStoredBytes(s3, stack.bucket, backup),
    async urlOf({ id }) {
      return (await operator.call("downloadBackup", { params: { id } })).url;
    },
    async writeConfig(siteDir) {
      await mkdir(siteDir, { recursive: true });
      await writeFile(join(siteDir, "wp-config.php"), renderWpConfig({ db, sitePort: 80, salts: [] }));
    },
    async createBucket(bucket) {
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    },
    empty: (bucket) => emptyBucket(s3, bucket),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function makeDatabase(mariadb: Mariadb): Promise<Parameters<typeof renderWpConfig>[0]["db"]> {
  const access = { name: "bench", user: "bench", password: "bench" };
  await ensureDatabase(mariadb, access.name, access.user, access.password);
  await mariadb.exec(`USE bench;
    CREATE TABLE IF NOT EXISTS wp_options (id INT PRIMARY KEY, name VARCHAR(64), value TEXT) ENGINE=InnoDB;
    REPLACE INTO wp_options SELECT seq, CONCAT('option_', seq), REPEAT(MD5(seq), 8) FROM seq_1_to_2000;`);
  return { ...access, host: "127.0.0.1", port: mariadb.port };
}

function operatorOf(stack: Stack): MasterClient {
  return createMasterClient({
    masterUrl: stack.apiUrl,
    signToken: () => Promise.resolve(stack.adminToken),
    now: () => new Date(),
    timeoutMs: 30_000,
    userAgent: "bench",
  });
}

async function backUp(
  siteId: string,
  stateDir: string,
  stack: Stack,
  operator: MasterClient,
): Promise<OurRun> {
  const before = (await stack.s3.inspect()).partFiles.bytes;
  const { seconds, peakRssBytes, cpuSeconds } = await watch([
    "run-once",
    "--json",
    "--site",
    siteId,
    "--state-dir",
    stateDir,
  ]);
  const { items } = await operator.call("listBackups", {}); // Newest first.
  const [backup] = items
    .filter(({ site_id }) => site_id === siteId)
    .toSorted((a, b) => b.finished_at.localeCompare(a.finished_at));
  if (backup === undefined) throw new Error("backupd ended well without a backup");
  return {
    seconds,
    jobSeconds: (Date.parse(backup.finished_at) - Date.parse(backup.started_at)) / 1000,
    bytesSent: (await stack.s3.inspect()).partFiles.bytes - before,
    peakRssBytes,
    cpuSeconds,
    backup,
  };
}

async function restore(
  backup: Backup,
  paths: readonly string[],
  stateDir: string,
  dir: string,
): Promise<OurRestore> {
  const to = join(await mkdtemp(join(dir, "restored-")), "to");
  const selected = paths.flatMap((path) => ["--path", path]);
  const args = ["restore", backup.id, "--to", to, "--json", "--state-dir", stateDir, ...selected];
  const { seconds, peakRssBytes, cpuSeconds, output } = await watch(args);
  const said = RestoreDone.parse(JSON.parse(output.trimEnd().split("\n").at(-1) ?? ""));
  const { bytes_downloaded: bytesDownloaded, requests, seconds: jobSeconds } = said;
  return { seconds, jobSeconds, peakRssBytes, cpuSeconds, bytesDownloaded, requests };
}

const RestoreDone = z.object({
  event: z.literal("restore.done"),
  bytes_downloaded: z.number(),
  requests: z.number(),
  seconds: z.number(),
});

/** Runs backupd to its end; the kernel keeps the peak of its memory, which is gone with the process. */
function watch(
  args: readonly string[],
): Promise<{ seconds: number; peakRssBytes: number; cpuSeconds: number; output: string }> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(LAUNCHER, args, { env: inheritedEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
    let peakRssBytes = 0;
    let cpuSeconds = 0;
    const sampling = setInterval(() => {
      peakRssBytes = Math.max(peakRssBytes, peakRssOf(child.pid));
      cpuSeconds = Math.max(cpuSeconds, cpuSecondsOf(child.pid));
    }, SAMPLE_MS);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-4000);
      });
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(sampling);
      const seconds = (performance.now() - startedMs) / 1000;
      if (code === 0) resolve({ seconds, peakRssBytes, cpuSeconds, output });
      else reject(new Error(`backupd ended with exit code ${code}:\n${output}`));
    });
  });
}

function peakRssOf(pid: number | undefined): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0; // It has just ended.
  }
}

/** User and system time, in the hundredths of a second that Linux counts in (proc(5), fields 14 and 15). */
function cpuSecondsOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0; // It has just ended.
  }
}

async function dumpStoredBytes(
  s3: S3Client,
  bucket: string,
  { archive, s3_path, size_bytes: sizeBytes }: Backup,
): Promise<number> {
  const { etag, sha256_index: sha256Index } = archive;
  const stored = { bucket, key: objectKey(s3_path), etag, sizeBytes, sha256Index };
  const { header, frames } = await decodeIndex(await readIndex(s3, stored, new AbortController().signal));
  const { database } = header;
  if (database === null) throw new Error(`${s3_path} has no database`);
  const end = database.tar_offset + database.tar_bytes;
  return frames
    .filter(({ tarOffset }) => tarOffset >= database.tar_offset && tarOffset < end)
    .reduce((sum, { compressedBytes }) => sum + compressedBytes, 0);
}

async function emptyBucket(s3: S3Client, bucket: string): Promise<void> {
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket })) {
    const keys = (page.Contents ?? []).map(({ Key }) => ({ Key }));
    if (keys.length > 0)
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys } }));
  }
}
