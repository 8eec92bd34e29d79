// A runner in this process against a fake Master and a real queue, with a scripted engine: what the control-side
// tests share. Nothing of the product is replaced but the archive's making.
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { startSqs } from "#local/sqs.ts";
import { type Clock, systemClock } from "#runner/clock.ts";
import { composeRunner, type Engine } from "#runner/compose.ts";
import type { JobContext } from "#runner/context.ts";
import type { DaemonDeps } from "#runner/daemon.ts";
import { enroll } from "#runner/enroll.ts";
import type { Log, LogFields } from "#runner/io/log.ts";
import { jsonLog } from "#runner/io/log.ts";
import { createMasterClient } from "#runner/io/master-client.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import type { Settings } from "#runner/settings.ts";
import type { BackupReport } from "#shared/contracts/backups.ts";
import { type FakeMaster, startFakeMaster } from "#test/fakes/fake-master.ts";
import { archiveFacts } from "#test/helpers/archive-facts.ts";

export async function tempDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "backupd-control-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface LogLine extends LogFields {
  readonly level: string;
  readonly event: string;
}

export interface RecordedLog {
  readonly log: Log;
  readonly text: () => string;
  readonly lines: () => readonly Record<string, unknown>[];
  readonly events: () => string[];
  readonly find: (event: string) => Record<string, unknown> | undefined;
  /** Resolves when the event is logged, also if it was already. */
  readonly until: (event: string) => Promise<Record<string, unknown>>;
}

export function recordedLog(): RecordedLog {
  const out = new PassThrough();
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  let text = "";
  out.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    for (const line of chunk.toString().split("\n").filter(Boolean)) lines.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  const find = (event: string): Record<string, unknown> | undefined =>
    lines.find((line) => line.event === event);
  return {
    log: jsonLog(out, "debug"),
    text: () => text,
    lines: () => lines,
    events: () => lines.map((line) => String(line.event)),
    find,
    until: (event) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = find(event);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

export function successOf(job: JobContext): BackupReport {
  const at = job.now().toISOString();
  return {
    job_id: job.claim.job.id,
    site_id: job.site.id,
    fencing: job.claim.fencing,
    started_at: at,
    finished_at: at,
    stages: [],
    warnings: [],
    warnings_total: 0,
    status: "success",
    size_bytes: 1000,
    s3_path: job.claim.s3_path,
    archive: archiveFacts(),
  };
}

/** Waits for the job's signal and fails with what a library would make of it. */
export function untilAborted(job: JobContext): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(new DOMException("This operation was aborted", "AbortError"));
    if (job.signal.aborted) abort();
    job.signal.addEventListener("abort", abort, { once: true });
  });
}

export interface TestQueue extends AsyncDisposable {
  readonly url: string;
  send(message: unknown): Promise<void>;
  /** Takes one that is visible right now, if there is one. */
  take(): Promise<string | undefined>;
  /** Messages that are there, hidden ones included. */
  count(): Promise<{ visible: number; hidden: number }>;
}

export async function startQueue(dataDir: string): Promise<TestQueue> {
  const sqs = await startSqs({ dataDir, port: 0 });
  const credentials = { accessKeyId: "AKIDTEST", secretAccessKey: "x" };
  const client = new SQSClient({ endpoint: sqs.endpoint, region: "us-east-1", credentials });
  const made = await client.send(new CreateQueueCommand({ QueueName: `node-${randomUUID()}` }));
  const url = made.QueueUrl ?? "";
  return {
    url,
    async send(message) {
      const MessageBody = typeof message === "string" ? message : JSON.stringify(message);
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    },
    async take() {
      const command = new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 0 });
      return (await client.send(command)).Messages?.[0]?.Body;
    },
    async count() {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
      );
      return {
        visible: Number(Attributes.ApproximateNumberOfMessages),
        hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
      };
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await sqs.close();
    },
  };
}

export interface Harness extends AsyncDisposable {
  readonly dir: string;
  readonly master: FakeMaster;
  readonly queue: TestQueue;
  readonly log: RecordedLog;
  readonly siteId: string;
  /** A runner of its own on the same state directory, with these parts replaced. */
  runner(
    runBackup: Engine["runBackup"],
    stop: AbortSignal,
    replaced?: Partial<DaemonDeps>,
  ): Promise<DaemonDeps>;
}

/** A hundred times as fast for waits, deadlines and leases, with no chance in it; the time of day is real. */
export const hastyClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now() * 100,
  random: () => 0.5,
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
};

/** An enrolled node with one site and an empty queue. */
export async function startHarness(): Promise<Harness> {
  const temp = await tempDir();
  const master = await startFakeMaster();
  const queue = await startQueue(join(temp.path, "sqs"));
  master.leaseSeconds = 3_600;
  master.queue = { url: queue.url, region: "us-east-1", endpoint: new URL(queue.url).origin };
  const dir = join(temp.path, "state");
  const now = (): Date => new Date();
  const publicMaster = createMasterClient({
    masterUrl: master.url,
    now,
    timeoutMs: 5_000,
    userAgent: "test",
  });
  const request = { masterUrl: master.url, token: master.enrollmentToken, name: "test", force: false };
  await enroll(request, { state: await openStateDir(dir), master: publicMaster, now, version: "0" });
  const log = recordedLog();
  const siteId = master.sites[0]?.id ?? "";
  return {
    dir,
    master,
    queue,
    log,
    siteId,
    async runner(runBackup, stop, replaced = {}) {
      const engine: Engine = {
        runBackup,
        abortUpload: async () => undefined,
        uploadFate: async () => ({ kind: "open" }),
      };
      const settings: Settings = { stateDir: dir, logFormat: undefined, logLevel: "debug", siteRoots: [] };
      const parts = { settings, engine, log: log.log, version: "0.0.0", stop, clock: hastyClock };
      return { ...(await composeRunner(parts)).daemon, ...replaced };
    },
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await master[Symbol.asyncDispose]();
      await temp[Symbol.asyncDispose]();
    },
  };
}
