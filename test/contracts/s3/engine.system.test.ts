// The engine's own runs on a real S3 server (`npm run test:s3`): a real WordPress with 60 MB of media is backed up by
// bin/backupd in full, unchanged and after changes, to the server at S3_TEST_ENDPOINT and to the local S3; stock tools
// and `backupd restore` extract what was there, `backupd verify` finds it good, and both storages got and copied the same.
// S3_TEST_RESULTS=FILE keeps the table; S3_TEST_MEDIA_FILES=5400 makes a site of 1.4 GB.
import { mkdir, rm, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, describe, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { LOCAL_BUCKET } from "#local/stack.ts";
import type { Backup } from "#shared/contracts/backups.ts";
import { expectExact } from "#test/helpers/extracted.ts";
import { type Fleet, type FleetOptions, startFleet } from "#test/helpers/fleet.ts";
import { remoteSubject } from "./remote-subject.ts";
import { clientOf, patterned, type S3Subject } from "./subject.ts";

const MEDIA_FILES = Number(process.env["S3_TEST_MEDIA_FILES"] ?? 240);
const MEDIA_BYTES = 250_000;
const NEW_FILES = 20;
const NEW_BYTES = 300_000;
const MODIFIED = new Date("2026-01-15T12:00:00Z");

const remote = remoteSubject();
const STORAGES = ["local", "remote"] as const;
const RUNS = ["full", "unchanged", "changed"] as const;
interface Run {
  readonly backup: Backup;
  readonly verifySeconds: number;
  readonly restoreSeconds: number;
}
type Results = Record<(typeof STORAGES)[number], Record<(typeof RUNS)[number], Run>>;

/** The Master's keys are then the storage's, for all its services; and nodes get them as they are. */
function fleetOptions(subject: S3Subject | undefined): FleetOptions {
  if (subject === undefined) return {};
  const { accessKeyId, secretAccessKey } = subject.credentials;
  return {
    stack: {
      env: {
        AWS_ENDPOINT_URL_S3: subject.endpoint,
        BUCKET_NAME: subject.bucket,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      },
      deps: {
        nodeCredentials: {
          issue: async () => ({ access_key_id: accessKeyId, secret_access_key: secretAccessKey }),
          issueFor: async () => ({ access_key_id: accessKeyId, secret_access_key: secretAccessKey }),
        },
      },
    },
  };
}

async function writeMedia(dir: string, files: number, bytes: number, seed: number): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (let n = 0; n < files; n += 1) {
    const path = join(dir, `photo-${n}.jpg`);
    await writeFile(path, patterned(bytes, seed + n));
    await utimes(path, MODIFIED, MODIFIED);
  }
}

async function backUp(fleet: Fleet): Promise<Backup> {
  const { code, stderr } = await fleet.backupd("run-once", "--site", fleet.siteId);
  expect(stderr).not.toContain("copy_refused");
  expect(code, stderr).toBe(0);
  const { items } = await fleet.operator.call("listBackups", { query: { site_id: fleet.siteId } });
  const [newest] = items.toSorted((a, b) => b.finished_at.localeCompare(a.finished_at));
  if (newest === undefined) throw new Error("no backup");
  return newest;
}

/** Stock tools, our own restore into a new directory, and our own verification agree that it is the site. */
async function prove(fleet: Fleet, backup: Backup): Promise<Run> {
  await rm(await expectExact(fleet, backup), { recursive: true });
  const timed = async (...args: string[]): Promise<number> => {
    const started = performance.now();
    const { code, stderr } = await fleet.backupd(...args);
    expect(code, stderr).toBe(0);
    return (performance.now() - started) / 1000;
  };
  const verifySeconds = await timed("verify", backup.id);
  const to = join(fleet.dir, "restored");
  const restoreSeconds = await timed("restore", backup.id, "--to", to);
  const content = join(fleet.demo.siteDir, "wp-content");
  const how = { excludedDirs: ["cache", "node_modules"], mtimeSlackNs: 300n };
  expect(await compareTrees(content, join(to, "wp-content"), how)).toEqual([]);
  await rm(to, { recursive: true });
  return { backup, verifySeconds, restoreSeconds };
}

async function runAll(subject: S3Subject | undefined): Promise<Results["local"]> {
  await using fleet = await startFleet(fleetOptions(subject));
  const uploads = join(fleet.demo.siteDir, "wp-content/uploads/media");
  await writeMedia(uploads, MEDIA_FILES, MEDIA_BYTES, 1);
  // Until their stat proves that they have not changed since, by the two seconds of docs/FORMAT.md.
  const { ctimeMs } = await stat(join(uploads, `photo-${MEDIA_FILES - 1}.jpg`));
  await expect.poll(() => Date.now() - ctimeMs, { timeout: 5_000 }).toBeGreaterThan(2_050);
  const full = await prove(fleet, await backUp(fleet));
  const unchanged = await prove(fleet, await backUp(fleet));
  await writeMedia(join(uploads, "new"), NEW_FILES, NEW_BYTES, 1000);
  await unlink(join(uploads, "photo-7.jpg"));
  await writeFile(join(uploads, "photo-100.jpg"), patterned(MEDIA_BYTES, 5000));
  const changed = await prove(fleet, await backUp(fleet));
  return { full, unchanged, changed };
}

describe.runIf(remote !== undefined)("backups on S3_TEST_ENDPOINT", () => {
  const results: Partial<Results> = {};
  afterAll(async () => {
    if (results.local === undefined || results.remote === undefined) return;
    const table = formatResults(results as Results);
    process.stdout.write(`${table}\n`);
    const file = process.env["S3_TEST_RESULTS"];
    if (file !== undefined) await writeFile(file, table);
  });

  it.each(STORAGES)(
    "are extracted exactly, full, unchanged and changed: %s",
    async (storage) => {
      const own = remote === undefined ? undefined : { ...remote, bucket: LOCAL_BUCKET };
      if (storage === "remote" && own !== undefined) {
        await clientOf(own).send(new CreateBucketCommand({ Bucket: own.bucket }));
      }
      const runs = await runAll(storage === "remote" ? own : undefined);
      results[storage] = runs;
      expect(runs.full.backup.archive).toMatchObject({ mode: "full", bytes_copied: 0 });
      for (const { archive, size_bytes } of [runs.unchanged.backup, runs.changed.backup]) {
        expect(archive).toMatchObject({ mode: "incremental" });
        expect(archive.bytes_uploaded + archive.bytes_copied).toBe(size_bytes);
      }
      expect(runs.unchanged.backup.archive.bytes_copied).toBeGreaterThan(MEDIA_FILES * MEDIA_BYTES);
      expect(runs.changed.backup.archive.bytes_copied).toBeGreaterThan((MEDIA_FILES * MEDIA_BYTES) / 2);
    },
    300_000 * Math.max(1, MEDIA_FILES / 1000),
  );

  it("send and copy as much there as to the local S3", () => {
    for (const run of RUNS) {
      const [here, there] = STORAGES.map((storage) => results[storage]?.[run].backup.archive);
      if (here === undefined || there === undefined) throw new Error("nothing to compare");
      // Two clones of one site: their dumps differ in a few bytes, which shifts what falls into one frame.
      const slack = 64 * 1024 + here.bytes_uploaded * 0.02;
      expect(Math.abs(here.bytes_uploaded - there.bytes_uploaded), run).toBeLessThan(slack);
      expect(Math.abs(here.bytes_copied - there.bytes_copied), run).toBeLessThan(slack);
    }
  });
});

function formatResults(results: Results): string {
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(2);
  const rows = RUNS.flatMap((run) =>
    STORAGES.map((storage) => {
      const { backup, verifySeconds, restoreSeconds } = results[storage][run];
      const { archive, started_at, finished_at, stages } = backup;
      const seconds = (Date.parse(finished_at) - Date.parse(started_at)) / 1000;
      const stage = stages.find(({ name }) => name === "archive")?.seconds ?? 0;
      const bytes = [archive.bytes_uploaded, archive.bytes_copied].map(mb).join(" | ");
      const times = [seconds, stage, verifySeconds, restoreSeconds].map((each) => each.toFixed(2));
      return `| ${run} | ${storage} | ${bytes} | ${archive.requests} | ${times.join(" | ")} |`;
    }),
  );
  const server = process.env["S3_TEST_SERVER"] ?? "as AWS";
  return [
    "# The engine on a real S3 server",
    "",
    `${new Date().toISOString()}, Node ${process.version}, load ${(loadavg()[0] ?? 0).toFixed(1)}; remote is ${server}, on`,
    `the same machine; a WordPress with ${MEDIA_FILES} files of ${MEDIA_BYTES / 1000} KB. By \`npm run test:s3\`.`,
    "",
    "| backup | storage | MB sent | MB copied | requests | job seconds | of them archive | verify | restore |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
