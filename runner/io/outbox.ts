// Reports that must reach the Master: each lies on disk before it is sent and until the Master has taken it, so
// that neither kill -9 nor a Master that is down for a day can lose how a job ended.
import { createHash } from "node:crypto";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BackupReport } from "#shared/contracts/backups.ts";
import type { JobType } from "#shared/contracts/jobs.ts";
import { JobReport } from "#shared/contracts/restores.ts";
import { asBackupError, type BackupError } from "#shared/errors.ts";
import type { Clock } from "../clock.ts";
import { type Outcome, sendOutcome } from "../outcome.ts";
import { refusesReportForEver } from "../plan/error-class.ts";
import { TEMPORARY_SUFFIX, writeFileAtomic } from "./atomic-file.ts";
import { correlated } from "./correlated-master.ts";
import type { Log } from "./log.ts";
import type { MasterClient } from "./master-client.ts";
import { stateError } from "./state-dir.ts";

export interface FlushResult {
  readonly sent: number;
  readonly waiting: number;
  readonly rejected: number;
}

export interface Outbox {
  /** Durable when it resolves. Throws `disk_full` or `state_dir_unusable`. */
  put(outcome: Outcome, correlationId?: string): Promise<void>;
  /** Sends what is there, oldest first. Never throws for what one report meets; rejects when `signal` aborts. */
  flush(signal: AbortSignal): Promise<FlushResult>;
  length(): Promise<number>;
}

export interface OutboxDeps {
  readonly dir: string;
  readonly master: MasterClient;
  readonly clock: Clock;
  readonly log: Log;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

interface Envelope {
  readonly written_at: string;
  /** Left out by versions that only knew backups; their reports name their job. */
  readonly type?: JobType;
  readonly job_id?: string;
  readonly correlation_id?: string;
  readonly sha256: string;
  /** As JSON text, so that the hash is over exactly what was written. */
  readonly report: string;
}

interface Parsed {
  readonly outcome: Outcome;
  readonly writtenAt: Date;
  readonly correlationId: string;
}

function parseEnvelope(text: string): Parsed {
  const envelope = JSON.parse(text) as Partial<Envelope>;
  if (typeof envelope.report !== "string" || sha256(envelope.report) !== envelope.sha256) {
    throw new Error("its hash does not match: the file is damaged");
  }
  const writtenAt = new Date(envelope.written_at ?? 0);
  const { type = "backup", job_id: jobId = "" } = envelope;
  const json: unknown = JSON.parse(envelope.report);
  const outcome: Outcome =
    type === "backup"
      ? backupOutcome(BackupReport.parse(json))
      : { type, jobId, report: JobReport.parse(json) };
  return { outcome, writtenAt, correlationId: envelope.correlation_id ?? outcome.jobId };
}

function backupOutcome(report: BackupReport): Outcome {
  return { type: "backup", jobId: report.job_id, report };
}

export function openOutbox({ dir, master, clock, log }: OutboxDeps): Outbox {
  let flushing: Promise<unknown> = Promise.resolve();

  async function names(): Promise<string[]> {
    return (await readdir(dir)).filter((name) => name.endsWith(".json")).sort();
  }

  /** Later reports sort after earlier ones even if the clock was set back: the number only grows. */
  async function nextName(jobId: string): Promise<string> {
    const last = (await names()).at(-1);
    const number = last === undefined ? 1 : Number.parseInt(last, 10) + 1;
    return `${String(number).padStart(8, "0")}-${jobId}.json`;
  }

  async function reject(name: string, reason: unknown): Promise<void> {
    await writeFileAtomic(join(dir, "rejected", `${name}.reason`), String(reason));
    await rename(join(dir, name), join(dir, "rejected", name));
    log.error("outbox.rejected", { file: name, error: reason });
  }

  async function sendOne(name: string, signal: AbortSignal): Promise<"sent" | "rejected" | BackupError> {
    let parsed: Parsed;
    try {
      parsed = parseEnvelope(await readFile(join(dir, name), "utf8"));
    } catch (error) {
      // Sent and removed meanwhile by another backupd (run-once beside the daemon).
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "sent";
      await reject(name, error);
      return "rejected";
    }
    const { outcome, writtenAt, correlationId } = parsed;
    try {
      await sendOutcome(outcome, correlated(master, correlationId), signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asBackupError(thrown, "unexpected");
      if (!refusesReportForEver(error, clock.now().getTime() - writtenAt.getTime())) return error;
      await reject(name, error);
      return "rejected";
    }
    await rm(join(dir, name), { force: true });
    const { site_id, status } = outcome.report;
    const job = { job_id: outcome.jobId, site_id, correlation_id: correlationId };
    log.info("outbox.sent", { ...job, status });
    return "sent";
  }

  async function flushAll(signal: AbortSignal): Promise<FlushResult> {
    const todo = await names();
    const counts = { sent: 0, waiting: 0, rejected: 0 };
    const heldJobs = new Set<string>();
    for (const [index, name] of todo.entries()) {
      const jobId = name.slice(name.indexOf("-") + 1);
      // A job's reports arrive in their order or not at all.
      const result = heldJobs.has(jobId) ? undefined : await sendOne(name, signal);
      if (result === "sent" || result === "rejected") {
        counts[result] += 1;
        continue;
      }
      counts.waiting += 1;
      heldJobs.add(jobId);
      if (result === undefined) continue;
      log.warn("outbox.waiting", { file: name, waiting: todo.length - index, error: result });
      if (result.code === "object_missing") continue;
      // Nothing about this report: the others would meet the same.
      counts.waiting = todo.length - index + counts.waiting - 1;
      break;
    }
    return counts;
  }

  return {
    async put({ type, jobId, report }, correlationId) {
      const text = JSON.stringify(report);
      const envelope: Envelope = {
        written_at: clock.now().toISOString(),
        type,
        job_id: jobId,
        ...(correlationId === undefined ? {} : { correlation_id: correlationId }),
        sha256: sha256(text),
        report: text,
      };
      try {
        await writeFileAtomic(join(dir, await nextName(jobId)), JSON.stringify(envelope));
      } catch (error) {
        throw stateError(error, dir);
      }
    },
    flush(signal) {
      // One at a time, each after the other: the one under way may not have seen the newest report.
      const result = flushing.then(() => flushAll(signal));
      flushing = result.catch(() => undefined);
      return result;
    },
    length: async () => (await names()).length,
  };
}

/** Removes what a crash left half-written: those reports' jobs were never acknowledged and come again. */
export async function sweepOutbox(dir: string): Promise<number> {
  const torn = (await readdir(dir)).filter((name) => name.endsWith(TEMPORARY_SUFFIX));
  for (const name of torn) await rm(join(dir, name), { force: true });
  return torn.length;
}
