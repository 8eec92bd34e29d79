// backupd as the operating system sees it: a child process with its own state directory, started through the same
// launcher that a node uses, and nothing shared with this process but the API.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { backupdLauncher } from "./backupd-launcher.ts";
import { endAbandonedProcess, type OwnProcess, startOwnProcess } from "./own-process.ts";
import { runProgram } from "./run-program.ts";

export interface BackupdProcess extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  hasEnded(): boolean;
  /** SIGTERM, then waits; the running job is given back. */
  close(): Promise<void>;
}

/** Enrols `stateDir` unless it already is. The token goes through the environment: a command line is public. */
export async function ensureEnrolled(options: {
  readonly stateDir: string;
  readonly masterUrl: string;
  readonly name: string;
  readonly makeToken: () => Promise<string>;
}): Promise<void> {
  if (existsSync(join(options.stateDir, "identity.json"))) return;
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const args = [
    "enroll",
    "--master",
    options.masterUrl,
    "--state-dir",
    options.stateDir,
    "--name",
    options.name,
  ];
  await runProgram(backupdLauncher(), args, { env: { BACKUPD_TOKEN: await options.makeToken() } });
}

export async function startBackupd(options: {
  readonly stateDir: string;
  readonly runDir: string;
}): Promise<BackupdProcess> {
  const recordFile = join(options.runDir, "backupd.process.json");
  const logFile = join(options.runDir, "backupd.log");
  await endAbandonedProcess("backupd", recordFile);
  const child: OwnProcess = await startOwnProcess({
    name: "backupd",
    command: backupdLauncher(),
    args: ["run", "--state-dir", options.stateDir, "--log-format", "json"],
    endSignal: "SIGTERM",
    logFile,
    recordFile,
  });
  const close = (): Promise<void> => child.end();
  return { pid: child.pid, logFile, hasEnded: () => child.hasEnded(), close, [Symbol.asyncDispose]: close };
}
