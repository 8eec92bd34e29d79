// The state that everything must come back to, whatever happened: what the Master lists is what the bucket holds,
// no upload is open, and no runner has anything left of a job.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Backup } from "#shared/contracts/backups.ts";
import type { Fleet } from "#test/helpers/fleet.ts";
import { until } from "./hold.ts";

export async function backupsOf({ operator, siteId }: Fleet, jobId?: string): Promise<Backup[]> {
  const { items } = await operator.call("listBackups", { query: { site_id: siteId, limit: 100 } });
  return items.filter((backup) => jobId === undefined || backup.job_id === jobId);
}

export async function objectKeys({ stack }: Fleet): Promise<string[]> {
  return (await stack.s3.inspect()).objects.map(({ key }) => key).sort();
}

/** Reports on the node that the Master has not taken. */
export async function outboxOf(stateDir: string): Promise<string[]> {
  return (await readdir(join(stateDir, "outbox"))).filter((name) => name !== "rejected");
}

interface LeftByRunner {
  readonly spool: string[];
  readonly journal: string[];
  readonly outbox: string[];
}

export async function leftByRunner(stateDir: string): Promise<LeftByRunner> {
  return {
    spool: await readdir(join(stateDir, "spool")),
    journal: await readdir(join(stateDir, "uploads")),
    outbox: await outboxOf(stateDir),
  };
}

const NOTHING: LeftByRunner = { spool: [], journal: [], outbox: [] };

/** A runner tidies up after the Master has its report, so this waits for it; then all must fit together. */
export async function expectSettled(
  fleet: Fleet,
  stateDirs: readonly string[] = [fleet.stateDir],
): Promise<void> {
  for (const stateDir of stateDirs) {
    const isTidy = async (): Promise<boolean> =>
      JSON.stringify(await leftByRunner(stateDir)) === JSON.stringify(NOTHING);
    // In vain: the comparison below says what is left.
    await until("the runner to tidy up", isTidy).catch(() => false);
    expect(await leftByRunner(stateDir)).toEqual(NOTHING);
  }
  const { items } = await fleet.operator.call("listBackups", { query: { limit: 100 } });
  const { objects, openUploads, partFiles, filesOnDisk } = await fleet.stack.s3.inspect();
  const recorded = items.map((backup) => ({ key: backup.s3_path.slice(1), bytes: backup.size_bytes }));
  const byKey = (a: { key: string }, b: { key: string }): number => a.key.localeCompare(b.key);
  expect(objects.map(({ key, bytes }) => ({ key, bytes })).sort(byKey)).toEqual(recorded.sort(byKey));
  expect(openUploads).toEqual([]);
  expect(filesOnDisk).toBe(partFiles.count);
}

export interface LogEvent {
  readonly event: string;
  readonly job_id?: string;
  readonly file?: string;
  readonly error?: { readonly code?: string };
}

/** What a daemon has logged so far; a line it is just writing is left out. */
export async function eventsOf(logFile: string): Promise<LogEvent[]> {
  const lines = (await readFile(logFile, "utf8")).split("\n").slice(0, -1);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogEvent);
}

export async function untilLogged(logFile: string, event: string, jobId: string): Promise<LogEvent> {
  return await until(`${event} in the log`, async () =>
    (await eventsOf(logFile)).find((each) => each.event === event && each.job_id === jobId),
  );
}
