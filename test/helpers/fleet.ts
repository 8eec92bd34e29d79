// A whole Backupd for system tests: the local stack, a private real WordPress on a real MariaDB, one enrolled node and
// backupd as a real child process, with a breakable wire to the Master and to S3.
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { backupdLauncher } from "#local/backupd-launcher.ts";
import { type BackupdProcess, ensureEnrolled, startBackupd } from "#local/backupd-process.ts";
import type { DemoSite } from "#local/demo/demo-site.ts";
import { inheritedEnvironment } from "#local/own-process.ts";
import type { S3FaultHook } from "#local/s3/faults.ts";
import { type Stack, type StackOptions, startStack } from "#local/stack.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import { cloneDemoSite } from "#test/local/demo/clone-demo-site.ts";
import { makeTempDir } from "#test/local/demo/temp-dir.ts";
import { type ApiClient, apiClient } from "./api-client.ts";
import { type FlakyProxy, startFlakyProxy } from "./flaky-proxy.ts";

const JOB_PATIENCE_MS = 60_000;

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Fleet extends AsyncDisposable {
  readonly dir: string;
  readonly stateDir: string;
  readonly stack: Stack;
  readonly demo: DemoSite;
  readonly operator: ApiClient;
  readonly nodeId: string;
  readonly siteId: string;
  /** Between the node and the Master. */
  readonly proxy: FlakyProxy;
  /** Between everybody and S3: asked before each operation. */
  readonly s3Wire: { fault: S3FaultHook };
  /** How long new sessions last, by what was asked for. */
  readonly sts: { sessionSeconds: (asked: number) => number };
  startDaemon(): Promise<BackupdProcess>;
  /** `backupd ARGS` on this node's state directory, to its end. */
  backupd(...args: string[]): Promise<RunResult>;
  /** Starts a backup through the API; gives the job's id. */
  start(): Promise<string>;
  /** The job once `done` says so; by default once it has ended. */
  waitForJob(jobId: string, done?: (job: Job) => boolean): Promise<Job>;
  /** What of a backup is left anywhere but as a finished object. */
  leftovers(): Promise<{ openUploads: number; spoolFiles: string[]; journal: string[]; partFiles: number }>;
}

export interface FleetOptions {
  readonly stack?: Omit<StackOptions, "dir" | "firstPort" | "s3Faults" | "sessionSeconds">;
  readonly extraFiles?: number;
  readonly site?: { readonly quota_bytes?: number; readonly exclude?: string[] };
}

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  await using starting = new AsyncDisposableStack();
  const { path: dir } = starting.use(await makeTempDir());
  const s3Wire: Fleet["s3Wire"] = { fault: () => undefined };
  const sts: Fleet["sts"] = { sessionSeconds: (asked) => asked };
  const env = { PROGRESS_SECONDS: "0.1", HEARTBEAT_SECONDS: "5", ...options.stack?.env };
  const stack = starting.use(
    await startStack({
      ...options.stack,
      env,
      dir: join(dir, "stack"),
      firstPort: 0,
      s3Faults: (request) => s3Wire.fault(request),
      sessionSeconds: (asked) => sts.sessionSeconds(asked),
    }),
  );
  const demo = starting.use(
    await cloneDemoSite({
      dir: join(dir, "demo"),
      ...(options.extraFiles === undefined ? {} : { extraFiles: options.extraFiles }),
    }),
  );
  const operator = apiClient(stack.apiUrl, async () => stack.adminToken);
  const proxy = starting.use(await startFlakyProxy(stack.apiUrl));
  const stateDir = join(dir, "node");
  await ensureEnrolled({
    stateDir,
    masterUrl: proxy.url,
    name: "web1.example.com",
    makeToken: async () => (await operator.call("createEnrollmentToken", { body: {} })).token,
  });
  const node = (await operator.call("listNodes")).items[0];
  if (node === undefined) throw new Error("enrolment left no node");
  const site = await operator.call("createSite", {
    body: { node_id: node.id, name: "shop.example.com", path: demo.siteDir, ...options.site },
  });
  const running = starting.move();
  const fleet: Fleet = {
    dir,
    stateDir,
    stack,
    demo,
    operator,
    nodeId: node.id,
    siteId: site.id,
    proxy,
    s3Wire,
    sts,
    startDaemon: async () => running.use(await startBackupd({ stateDir, runDir: dir })),
    backupd: (...args) => runBackupd([...args, "--state-dir", stateDir]),
    start: async () => (await operator.call("startBackup", { id: site.id, body: {} })).job_id,
    waitForJob: (jobId, done) => waitForJob(operator, jobId, done),
    async leftovers() {
      const { openUploads, partFiles, objects } = await stack.s3.inspect();
      const referenced = objects.length === 0 ? partFiles.count : 0;
      return {
        openUploads: openUploads.length,
        spoolFiles: await filesBelow(join(stateDir, "spool")),
        journal: await filesBelow(join(stateDir, "uploads")),
        partFiles: referenced,
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
  return fleet;
}

const ENDED: ReadonlySet<Job["state"]> = new Set(["succeeded", "failed", "skipped", "cancelled", "expired"]);

async function waitForJob(
  operator: ApiClient,
  jobId: string,
  done: (job: Job) => boolean = ({ state }) => ENDED.has(state),
): Promise<Job> {
  const deadline = performance.now() + JOB_PATIENCE_MS;
  for (;;) {
    const job = await operator.call("getJob", { id: jobId });
    if (done(job)) return job;
    if (performance.now() > deadline) throw new Error(`The job is still ${JSON.stringify(job)}`);
    // Another process is at work; the API is the only way to know of it.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

/** `through`: a program and its arguments that is to start backupd, for instance with fewer rights. */
export function runBackupd(args: readonly string[], through: readonly string[] = []): Promise<RunResult> {
  const launcher = backupdLauncher();
  const [program = launcher, ...rest] = [...through, launcher, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { env: inheritedEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
