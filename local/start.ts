// `npm start`: brings everything up, makes one backup through the API as an operator would, shows what became of it,
// and keeps serving; with --exit it proves the backup by a stock restore and ends.
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createMasterClient, type MasterClient } from "#runner/io/master-client.ts";
import { openTerminal, type Terminal } from "#runner/io/terminal.ts";
import { describeArchive } from "#runner/plan/describe-archive.ts";
import type { Backup, Download } from "#shared/contracts/backups.ts";
import { type BackupdProcess, ensureEnrolled, startBackupd } from "./backupd-process.ts";
import { ensureDashboardBuilt } from "./dashboard/build-dashboard.ts";
import { CODE_MINUTES } from "./dashboard/sign-in-codes.ts";
import { type DemoSite, ensureDemoSite } from "./demo/demo-site.ts";
import { ensureDemoRegistered } from "./demo-registration.ts";
import { findRestoreDifferences } from "./prove-restore.ts";
import { type Stack, startStack } from "./stack.ts";
import { parseStartOptions, type StartOptions } from "./start-options.ts";
import { stockRestoreLines } from "./stock-restore.ts";
import { watchBackup } from "./watch-backup.ts";

const PROJECT_DIR = fileURLToPath(new URL("..", import.meta.url));

/** Media and cached thumbnails of a site that has been there for a while: enough to see a backup at work. */
const DEMO_EXTRA_FILES = 4_000;

interface Running {
  readonly stack: Stack;
  readonly demo: DemoSite;
  readonly backupd: BackupdProcess;
  readonly operator: MasterClient;
  readonly siteId: string;
}

interface Made {
  readonly backup: Backup;
  readonly download: Download;
}

async function main(options: StartOptions): Promise<number> {
  const startedMs = performance.now();
  const terminal = openTerminal(options.json ? process.stderr : process.stdout);
  await using ending = new AsyncDisposableStack();
  const stop = onStopSignal(terminal);
  try {
    const running = await bringUp(options, terminal, ending);
    stop.throwIfAborted();
    const made = await makeBackup(running, terminal);
    showBackup(running, made, terminal);
    if (options.exit) return await proveAndEnd(running, made, terminal, { ...options, startedMs });
    showAddresses(running, options, terminal);
    offerSignInLinks(running.stack, terminal);
    await untilStopped(stop, running);
    return 0;
  } catch (error) {
    if (stop.aborted) return 130;
    terminal.live(undefined);
    terminal.line(`\n${error instanceof Error ? error.message : String(error)}`);
    const hint = hintFor(error);
    if (hint !== undefined) terminal.line(hint);
    return 1;
  }
}

function hintFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("hint" in error) return String(error.hint);
  const isTaken = "code" in error && error.code === "EADDRINUSE";
  return isTaken ? "Another program has a port of this stack: stop it, or use another --dir." : undefined;
}

/** The first Ctrl-C ends in good order; a second one at once. */
function onStopSignal(terminal: Terminal): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      terminal.live(undefined);
      terminal.line("Stopping; the state stays for the next start …");
      stop.abort(new Error("stopped"));
    });
  }
  return stop.signal;
}

async function bringUp(
  options: StartOptions,
  terminal: Terminal,
  ending: AsyncDisposableStack,
): Promise<Running> {
  const dashboardDir = await ensureDashboardBuilt(() => terminal.line("Building the dashboard …"));
  terminal.line("Starting the Master with its S3, SQS, DynamoDB, Scheduler and STS …");
  const stack = ending.use(await startStack({ dir: options.dir, firstPort: options.port, dashboardDir }));
  const demo = ending.use(
    await ensureDemoSite({
      dir: join(options.dir, "demo"),
      mariadbPort: stack.ports.mariadb,
      wordpressPort: stack.ports.wordpress,
      onStep: (text) => terminal.line(`${text} …`),
      extraFiles: DEMO_EXTRA_FILES,
    }),
  );
  const operator = createMasterClient({
    masterUrl: stack.apiUrl,
    signToken: () => Promise.resolve(stack.adminToken),
    now: () => new Date(),
    timeoutMs: 30_000,
    userAgent: "npm-start",
  });
  const stateDir = join(options.dir, "node");
  await ensureEnrolled({
    stateDir,
    masterUrl: stack.apiUrl,
    name: hostname(),
    makeToken: async () => (await operator.call("createEnrollmentToken", { body: {} })).token,
  });
  const site = await ensureDemoRegistered(operator, demo.siteDir);
  terminal.line("Starting backupd …");
  const backupd = ending.use(await startBackupd({ stateDir, runDir: options.dir }));
  return { stack, demo, backupd, operator, siteId: site.id };
}

async function makeBackup({ operator, siteId, backupd }: Running, terminal: Terminal): Promise<Made> {
  terminal.line(`\nPOST /api/v1/sites/${siteId}/backup/start`);
  const { job_id } = await operator.call("startBackup", { params: { id: siteId }, body: {} });
  const job = await watchBackup(operator, job_id, terminal, () => {
    if (backupd.hasEnded()) throw new Error(`backupd has ended; its log is ${backupd.logFile}`);
  });
  if (job.state !== "succeeded" || job.backup_id === null) {
    const why = job.error === null ? (job.reason ?? "") : `${job.error.message}\n${job.error.hint ?? ""}`;
    throw new Error(`The backup ${job.state}: ${why}\nbackupd's log is ${backupd.logFile}`);
  }
  const params = { id: job.backup_id };
  const backup = await operator.call("getBackup", { params });
  return { backup, download: await operator.call("downloadBackup", { params }) };
}

function showBackup({ demo, stack }: Running, { backup, download }: Made, terminal: Terminal): void {
  for (const line of describeArchive(backup)) terminal.line(`  ${line}`);
  for (const { message } of backup.warnings) terminal.line(`  warning: ${message}`);
  const target = { siteDir: "/var/www/site", user: demo.db.user, database: demo.db.name };
  terminal.line(`\nThe archive   s3://${stack.bucket}${backup.s3_path}`);
  terminal.line(`Restore it anywhere with stock tools (the URL works until ${download.expires_at}):`);
  for (const line of stockRestoreLines(download.url, target)) terminal.line(`  ${line}`);
}

function showAddresses(
  { stack, demo, backupd, siteId }: Running,
  options: StartOptions,
  terminal: Terminal,
): void {
  const lines = [
    `The site      ${demo.siteUrl}`,
    `The API       ${stack.apiUrl}/api/v1   (openapi.json describes it)`,
    `  as admin    TOKEN=$(node -p 'require("${options.dir}/stack.json").adminToken')`,
    `              curl -H "Authorization: Bearer $TOKEN" ${stack.apiUrl}/api/v1/sites/${siteId}`,
    `backupd's log ${backupd.logFile}`,
    "The site is backed up every hour. Ctrl-C ends everything; the next start finds it again.",
  ];
  terminal.line(`\n${lines.join("\n")}`);
}

/** A link works once, so Enter prints another one. */
function offerSignInLinks({ dashboard }: Stack, terminal: Terminal): void {
  if (dashboard === undefined) return;
  const show = (): void => terminal.line(`\nThe dashboard ${dashboard.signInLink()}`);
  show();
  terminal.line(`  The link signs you in once, within ${CODE_MINUTES} minutes.`);
  if (!process.stdin.isTTY) return;
  terminal.line("  Press Enter for a new one.");
  process.stdin.on("data", show).unref();
}

async function proveAndEnd(
  { demo }: Running,
  { backup, download }: Made,
  terminal: Terminal,
  options: { json: boolean; startedMs: number },
): Promise<number> {
  terminal.line("\nRestoring with stock tools into an empty site, and comparing …");
  const differences = await findRestoreDifferences(download.url, demo);
  for (const line of differences.slice(0, 20)) terminal.line(`  ${line}`);
  const restored = differences.length === 0;
  terminal.line(restored ? "  the same, byte for byte" : `  ${differences.length} differences: NOT restored`);
  if (options.json) {
    const result = {
      backup_id: backup.id,
      job_id: backup.job_id,
      s3_path: backup.s3_path,
      size_bytes: backup.size_bytes,
      download_url: download.url,
      restored,
      seconds: Math.round(performance.now() - options.startedMs) / 1000,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  return restored ? 0 : 1;
}

/** Until Ctrl-C, or until a part of the system is gone. */
async function untilStopped(stop: AbortSignal, { backupd, stack }: Running): Promise<void> {
  while (!stop.aborted) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, 1000);
      stop.addEventListener("abort", done, { once: true });
      function done(): void {
        clearTimeout(timer);
        stop.removeEventListener("abort", done);
        resolve();
      }
    });
    stack.throwIfCrashed();
    if (!stop.aborted && backupd.hasEnded())
      throw new Error(`backupd has ended; its log is ${backupd.logFile}`);
  }
}

process.exitCode = await main(parseStartOptions(process.argv.slice(2), PROJECT_DIR));
