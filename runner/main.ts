// backupd's command line: reads what was asked, builds the runner and turns every end into an exit code.
import { flushCompileCache } from "node:module";
import { hostname } from "node:os";
import { text } from "node:stream/consumers";
import { Command, CommanderError } from "commander";
import { BackupError } from "#shared/errors.ts";
import manifest from "../package.json" with { type: "json" };
import {
  type CommonOptions,
  type Edge,
  EXIT,
  logOf,
  settingsOf,
  UsageError,
  withCommon,
} from "./command-line.ts";
import type { Runner } from "./compose.ts";
import { composeControl, MASTER_TIMEOUT_MS } from "./compose-control.ts";
import { engine } from "./engine.ts";
import { enroll } from "./enroll.ts";
import { humanLog, type Log } from "./io/log.ts";
import { lowerPriority } from "./io/lower-priority.ts";
import { createMasterClient } from "./io/master-client.ts";
import { skewHint } from "./io/problem.ts";
import { openStateDir } from "./io/state-dir.ts";
import { openTerminal, type Terminal } from "./io/terminal.ts";
import { addListCommands } from "./list-commands.ts";
import { showProgress, tellProgress } from "./live-progress.ts";
import { describeArchive } from "./plan/describe-archive.ts";
import { describeError } from "./plan/error-class.ts";
import { parseMasterUrl } from "./plan/master-url.ts";
import { redactText } from "./plan/redact.ts";
import { addRestoreCommand } from "./restore-command.ts";
import type { SiteOutcome } from "./run-once.ts";
import type { Settings } from "./settings.ts";
import { formatStatus, readStatus } from "./status.ts";
import { stopOnSignals } from "./stop-signals.ts";
import { addVerifyCommand } from "./verify-command.ts";

const EXIT_HELP = `
Exit codes:
  0   done
  1   failed; the last lines say why and what to do
  2   the command line or the environment is wrong
  3   run-once: nothing failed, but a site was skipped or stopped
  78  this node has to be set up first: not enrolled, or its state directory cannot be used`;

const HELP = `
Getting started:
  1. Make a token in the dashboard, or with POST /api/v1/enrollment-tokens.
  2. Enrol this node:   BACKUPD_TOKEN=… backupd enroll --master https://master.example.com
  3. Start the daemon:  backupd run
  4. Look at it:        backupd status

To back up right now and watch:  backupd run-once --site SITE   (or: backupd --run-once)

To bring a site back, or only a part of it:  backupd restore --help

Environment: BACKUPD_STATE_DIR, BACKUPD_TOKEN, BACKUPD_LOG_FORMAT, BACKUPD_LOG_LEVEL, BACKUPD_SITE_ROOTS.
${EXIT_HELP}`;

async function composed(
  settings: Settings,
  log: Log,
  stop: AbortSignal,
  stageLevel: "debug" | "info" = "debug",
): Promise<Runner> {
  // Loaded only when needed: with the SDKs out of the way, the other commands answer at once.
  const { composeRunner } = await import("./compose.ts");
  return composeRunner({ settings, engine, log, version: manifest.version, stop, stageLevel });
}

/** A backup must not be felt by the sites; where the system does not allow for that, it still has to be made. */
async function beGentle(log: Log, { env }: Edge): Promise<void> {
  try {
    // bin/backupd says so.
    await lowerPriority(env["BACKUPD_IDLE_DISK"] === "1");
  } catch (error) {
    log.warn("priority.not_lowered", { error });
  }
}

async function doRun(options: CommonOptions, edge: Edge): Promise<number> {
  const settings = settingsOf(options, edge);
  const log = logOf(settings, edge.terminal.isLive ? "pretty" : "json", edge);
  const stop = stopOnSignals(() => log, { isCutShort: true });
  const runner = await composed(settings, log, stop);
  await beGentle(log, edge);
  using _progress = showProgress(edge.terminal, runner.runningJob);
  const { runDaemon } = await import("./daemon.ts");
  await runDaemon(stop, runner.daemon);
  return EXIT.ok;
}

function exitCodeOf(outcomes: readonly SiteOutcome[]): number {
  if (outcomes.some(({ status }) => status === "failed")) return EXIT.failed;
  return outcomes.some(({ status }) => status !== "success") ? EXIT.skipped : EXIT.ok;
}

async function doRunOnce(
  options: CommonOptions & { site?: string; full?: boolean; json?: boolean },
  edge: Edge,
): Promise<number> {
  const settings = settingsOf(options, edge);
  const isJson = options.json === true;
  const log = logOf(settings, isJson ? "json" : "pretty", edge);
  const stop = stopOnSignals(() => log, { isCutShort: true });
  // It starts on another processor while this one reads the code that asks for the job.
  await using packThread = engine.startPackThread?.(stop);
  const runner = await composed(settings, log, stop, isJson ? "info" : "debug");
  // Who asks for it next joins this call, and says what is wrong.
  runner.daemon.source.refresh().catch(() => undefined);
  await beGentle(log, edge);
  using _progress = isJson
    ? tellProgress(log, runner.runningJob)
    : showProgress(edge.terminal, runner.runningJob);
  const { runOnce } = await import("./run-once.ts");
  const request = { site: options.site, full: options.full === true };
  const outcomes = await runOnce(request, stop, { ...runner.daemon, load: engine.load, packThread });
  if (outcomes.length === 0) log.warn("run_once.nothing_to_do", { hint: "This node has no active site." });
  for (const { site, report } of isJson ? [] : outcomes) {
    if (report === undefined) continue;
    edge.terminal.line(`${site.name}: ${report.s3_path}`);
    for (const line of describeArchive(report)) edge.terminal.line(`  ${line}`);
  }
  const statuses = outcomes.map(({ status }) => status);
  const count = (wanted: string): number => statuses.filter((status) => status === wanted).length;
  log.info("run_once.ended", {
    succeeded: count("success"),
    failed: count("failed"),
    skipped: count("skipped"),
    cancelled: count("cancelled"),
  });
  return exitCodeOf(outcomes);
}

async function doStatus(options: CommonOptions & { json?: boolean }, edge: Edge): Promise<number> {
  const settings = settingsOf(options, edge);
  const log = humanLog(edge.terminal, "error", () => new Date());
  const stop = new AbortController().signal;
  const status = await readStatus(await composeControl({ settings, log, version: manifest.version, stop }));
  process.stdout.write(`${options.json === true ? JSON.stringify(status, null, 2) : formatStatus(status)}\n`);
  return status.master.reachable ? EXIT.ok : EXIT.failed;
}

async function readToken(option: string | undefined, edge: Edge): Promise<string> {
  const token = (
    option === "-" ? await text(process.stdin) : (option ?? edge.env.BACKUPD_TOKEN ?? "")
  ).trim();
  if (token !== "") return token;
  throw new UsageError(
    "An enrolment token is needed: BACKUPD_TOKEN, `--token -` with it on stdin, or --token TOKEN.",
  );
}

interface EnrollOptions extends CommonOptions {
  readonly master: string;
  readonly token?: string;
  readonly name?: string;
  readonly force?: boolean;
}

async function doEnroll(options: EnrollOptions, edge: Edge): Promise<number> {
  const settings = settingsOf(options, edge);
  const parsed = parseMasterUrl(options.master);
  if (!parsed.ok) throw new UsageError(`--master: ${parsed.reason}`);
  const token = await readToken(options.token, edge);
  const now = (): Date => new Date();
  const version = manifest.version;
  const userAgent = `backupd/${version}`;
  const master = createMasterClient({ masterUrl: parsed.url, now, timeoutMs: MASTER_TIMEOUT_MS, userAgent });
  const state = await openStateDir(settings.stateDir);
  const name = options.name ?? hostname();
  const request = { masterUrl: parsed.url, token, name, force: options.force === true };
  const identity = await enroll(request, { state, master, now, version });
  edge.terminal.line(`Enrolled as "${identity.name}", node ${identity.node_id}.`);
  const clock = skewHint(master.clockSkewMs());
  if (clock !== undefined) edge.terminal.line(`Warning: ${clock}`);
  edge.terminal.line("Next: start the daemon with `backupd run`, and protect sites in the dashboard.");
  return EXIT.ok;
}

/** `finish` is given each command's exit code. */
function buildProgram(edge: Edge, finish: (code: number) => void): Command {
  const program = new Command("backupd")
    .description("Backs up this node's WordPress sites to object storage, as its Master schedules.")
    .version(manifest.version)
    .addHelpText("after", HELP)
    .exitOverride()
    .showHelpAfterError("`backupd --help` and `backupd COMMAND --help` show what there is.");

  withCommon(program.command("enroll"))
    .description("make this node known to a Master, with a one-time token")
    .requiredOption("--master <url>", "the Master's URL")
    .option("--token <token>", "the token; `-` reads it from stdin; better: BACKUPD_TOKEN (argv is public)")
    .option("--name <name>", "how operators see this node (default: its host name)")
    .option("--force", "replace this node's identity")
    .action(async (options: EnrollOptions) => finish(await doEnroll(options, edge)));

  withCommon(program.command("run"))
    .description("the daemon: waits for jobs and works on them, one at a time")
    .option("--site-roots <dirs>", "where to look for sites to suggest, separated by `:`; `*` is one name")
    .action(async (options: CommonOptions) => finish(await doRun(options, edge)));

  withCommon(program.command("run-once"))
    .description("back up now, without the queue: one site, or every active one (also: backupd --run-once)")
    .option("--site <id>", "id or name of the site")
    .option("--full", "pack everything anew instead of copying what has not changed from the last archive")
    .option("--json", "one JSON event per line")
    .action(async (options: CommonOptions) => finish(await doRunOnce(options, edge)));

  withCommon(program.command("status"))
    .description("this node's identity, Master, queue, outbox, work and last results")
    .option("--json", "for machines")
    .action(async (options: CommonOptions) => finish(await doStatus(options, edge)));

  addListCommands(program, edge, finish);
  addVerifyCommand(program, edge, finish);
  addRestoreCommand(program, edge, finish);
  return program;
}

const SET_UP: ReadonlySet<string> = new Set(["not_enrolled", "state_dir_unusable", "already_running"]);

function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof UsageError) {
    for (const line of error.message.split("\n")) terminal.line(`backupd: ${line}`);
    return EXIT.usage;
  }
  const { message, code, hint, causes = [], stack } = describeError(error);
  terminal.line(redactText(`backupd: ${message}${code === undefined ? "" : ` (${code})`}`));
  for (const cause of causes) terminal.line(redactText(`  caused by ${cause}`));
  if (hint !== undefined) terminal.line(`  → ${hint}`);
  if (stack !== undefined) terminal.line(redactText(stack));
  return error instanceof BackupError && SET_UP.has(error.code) ? EXIT.setUp : EXIT.failed;
}

/** Runs one command line and resolves to its exit code. */
async function main(argv: readonly string[], edge: Edge): Promise<number> {
  // The name of this mode in the documents before there were commands.
  const args = argv.includes("--run-once")
    ? ["run-once", ...argv.filter((arg) => arg !== "--run-once")]
    : argv;
  let exitCode: number = EXIT.ok;
  const program = buildProgram(edge, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return explain(error, edge.terminal);
  }
}

const exitCode = await main(process.argv.slice(2), {
  env: process.env,
  terminal: openTerminal(process.stderr),
});
// Nothing is left to be done, and everything is written: taking the heap apart piece by piece would take 20 ms.
flushCompileCache();
process.exit(exitCode);
