// What every failed backup owes its operator: a code and a remedy in the job, and nothing left behind anywhere.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { S3Inspection } from "#local/s3/inspect.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import type { Fleet } from "#test/helpers/fleet.ts";

export interface ExpectedError {
  readonly code: ErrorCode;
  /** A phrase of the remedy. */
  readonly hint: string;
  /** A phrase of the detail, where it has to name the culprit. */
  readonly message?: string;
}

/** Everything that a backup adds to, or could leave behind. */
export interface Traces {
  readonly s3: S3Inspection;
  readonly backups: readonly string[];
  readonly spoolFiles: readonly string[];
  readonly journal: readonly string[];
  readonly outbox: readonly string[];
}

export async function tracesOf(fleet: Fleet): Promise<Traces> {
  const { spoolFiles, journal } = await fleet.leftovers();
  return {
    s3: await fleet.stack.s3.inspect(),
    backups: await backupsOf(fleet),
    spoolFiles,
    journal,
    outbox: await outboxOf(fleet),
  };
}

export async function backupsOf(fleet: Fleet): Promise<string[]> {
  const query = { site_id: fleet.siteId, limit: 100 };
  return (await fleet.operator.call("listBackups", { query })).items.map(({ id }) => id);
}

export async function outboxOf({ stateDir }: Fleet): Promise<string[]> {
  const outbox = join(stateDir, "outbox");
  const rejected = await readdir(join(outbox, "rejected"));
  return [...(await readdir(outbox)).filter((name) => name !== "rejected"), ...rejected];
}

/** One backup through the API, by the running daemon. */
export async function backUp(fleet: Fleet): Promise<Job> {
  return await fleet.waitForJob(await fleet.start());
}

/** The newest job of the site: for a run that was not started through the API. */
export async function lastJob(fleet: Fleet): Promise<Job> {
  const { items } = await fleet.operator.call("listJobs", { query: { site_id: fleet.siteId } });
  const [job] = items.toSorted((one, other) => other.created_at.localeCompare(one.created_at));
  if (job === undefined) throw new Error("the site has no job");
  return job;
}

/** The Master may know of a job's end for a moment before the runner knows that it does, and clears its outbox. */
export async function ended(fleet: Fleet, run: () => Promise<Job>): Promise<Job> {
  const job = await run();
  await expect.poll(() => outboxOf(fleet), { timeout: 10_000 }).toEqual([]);
  return job;
}

/** Nothing was added, and nothing is open or lying about. */
export async function expectNoNewTraces(fleet: Fleet, before: Traces): Promise<void> {
  expect(await tracesOf(fleet)).toEqual(before);
  expect(before.s3.openUploads).toEqual([]);
  expect(before.s3.filesOnDisk).toBe(before.s3.partFiles.count);
  expect(before).toMatchObject({ spoolFiles: [], journal: [], outbox: [] });
}

/** `run` must end as a failed job with that error, and leave the world as it was. */
export async function expectCleanFailure(
  fleet: Fleet,
  expected: ExpectedError,
  run: () => Promise<Job> = () => backUp(fleet),
): Promise<Job> {
  const before = await tracesOf(fleet);
  const job = await ended(fleet, run);
  expect(job).toMatchObject({
    state: "failed",
    backup_id: null,
    error: { code: expected.code, hint: expect.stringContaining(expected.hint) },
  });
  expect(job.error?.message).toContain(expected.message ?? "");
  await expectNoNewTraces(fleet, before);
  return job;
}

/** `run` must end as a succeeded job with exactly one backup more, whose object is there, and nothing else. */
export async function expectOneBackupMore(
  fleet: Fleet,
  run: () => Promise<Job> = () => backUp(fleet),
): Promise<Job> {
  const before = await tracesOf(fleet);
  const job = await ended(fleet, run);
  expect(job).toMatchObject({ state: "succeeded", error: null });
  const after = await tracesOf(fleet);
  const added = after.backups.filter((id) => !before.backups.includes(id));
  expect(added).toEqual([job.backup_id]);
  const backup = await fleet.operator.call("getBackup", { id: job.backup_id ?? "" });
  const object = { bucket: fleet.stack.bucket, key: backup.s3_path.slice(1), bytes: backup.size_bytes };
  expect(after.s3.objects).toContainEqual(object);
  expect(after.s3.objects).toHaveLength(before.s3.objects.length + 1);
  expect(after.s3.openUploads).toEqual([]);
  expect(after.s3.filesOnDisk).toBe(after.s3.partFiles.count);
  expect(after).toMatchObject({ spoolFiles: [], journal: [], outbox: [] });
  return job;
}
