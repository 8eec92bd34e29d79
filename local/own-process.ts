// Servers of the demo site (MariaDB, PHP) as children that we own: ended with all their workers when we close, and
// found again when we were killed before we could. Who owns what is in a small record file beside their data.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { readProcessTable } from "./process-table.ts";

export interface OwnProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What ends it in good order. */
  readonly endSignal: "SIGTERM" | "SIGINT";
  /** Both outputs are appended here. */
  readonly logFile: string;
  /** Says which process it is and who started it, for as long as it runs. */
  readonly recordFile: string;
}

export interface OwnProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Length of the log in bytes before this process wrote to it. */
  readonly logStart: number;
  hasEnded(): boolean;
  /** Resolves with the exit code when it has ended; null when a signal ended it. */
  readonly exitCode: Promise<number | null>;
  /** Ends the whole process group, by force what is left after the grace time; resolves when all are gone. */
  end(): Promise<void>;
}

interface ProcessIdentity {
  readonly pid: number;
  readonly birth: string;
}
interface ProcessRecord {
  readonly child: ProcessIdentity;
  readonly owner: ProcessIdentity;
  readonly endSignal: "SIGTERM" | "SIGINT";
}

/** A database under load may need long to write its pages back; killing it sooner only moves that to the next start. */
const GRACE_SECONDS = 30;

/** The local Master's handlers find its keys in this process' environment: nothing for a node or a site to inherit. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")));
}

/** Starts it in a process group of its own: a Ctrl-C in the terminal is for us to pass on in good order. */
export async function startOwnProcess(options: OwnProcessOptions): Promise<OwnProcess> {
  const { name, command, args, endSignal, logFile, recordFile } = options;
  const log = await open(logFile, "a", 0o600);
  const { size: logStart } = await log.stat();
  const env = { ...inheritedEnvironment(), ...options.env };
  const child = spawn(command, args, { detached: true, env, stdio: ["ignore", log.fd, log.fd] });
  const exitCode = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new Error(`${name} could not be started (${command})`, { cause });
  } finally {
    await log.close();
  }
  const pid = child.pid ?? Number.NaN;
  // Last resort for an exit that nobody awaited, for example an uncaught error.
  const endWithUs = (): void => void signalGroup(pid, endSignal);
  process.once("exit", endWithUs);
  const endOnce = async (): Promise<void> => {
    await endGroup(pid, endSignal);
    await exitCode;
    process.off("exit", endWithUs);
    // After a crash a successor may have put its own record there.
    if ((await readRecord(recordFile))?.child.pid === pid) await rm(recordFile);
  };
  let ending: Promise<void> | undefined;
  // Once only: after that the system may give the same number to a stranger.
  const end = (): Promise<void> => {
    ending ??= endOnce();
    return ending;
  };
  try {
    const record: ProcessRecord = {
      child: await identify(pid),
      owner: await identify(process.pid),
      endSignal,
    };
    await writeFile(`${recordFile}.new`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${recordFile}.new`, recordFile);
  } catch (error) {
    await end();
    throw error;
  }
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return { name, pid, logFile, logStart, hasEnded, exitCode, end };
}

/**
 * Ends what an earlier owner left running when it was killed. Throws when that owner is alive: then its servers
 * are in use, and two on the same data would destroy it.
 */
export async function endAbandonedProcess(name: string, recordFile: string): Promise<void> {
  const record = await readRecord(recordFile);
  if (record === undefined) return;
  if (await isAlive(record.child)) {
    if (await isAlive(record.owner)) {
      throw new Error(
        `${name} is in use by process ${record.owner.pid}: stop that one first, or use another directory (see ${recordFile})`,
      );
    }
    await endGroup(record.child.pid, record.endSignal);
  }
  await rm(recordFile, { force: true });
}

async function endGroup(pid: number, signal: NodeJS.Signals): Promise<void> {
  signalGroup(pid, signal);
  if (await groupIsGone(pid, GRACE_SECONDS)) return;
  signalGroup(pid, "SIGKILL");
  if (await groupIsGone(pid, 10)) return;
  throw new Error(`The process group ${pid} does not end, not even by SIGKILL`);
}

/** A group outlives its leader while workers are left, and no event tells when the last has gone: so it polls. */
async function groupIsGone(pid: number, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (signalGroup(pid, 0)) {
    const rows = await readProcessTable();
    if (!rows.some((row) => row.group === pid && !row.isZombie)) return true;
    if (performance.now() > deadline) return false;
    await delay(10);
  }
  return true;
}

/** False when there is no such group (any more). */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

async function identify(pid: number): Promise<ProcessIdentity> {
  const row = (await readProcessTable()).find((each) => each.pid === pid);
  return { pid, birth: row?.birth ?? "ended" };
}

async function isAlive({ pid, birth }: ProcessIdentity): Promise<boolean> {
  const rows = await readProcessTable();
  return rows.some((row) => row.pid === pid && row.birth === birth && !row.isZombie);
}

async function readRecord(recordFile: string): Promise<ProcessRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile, "utf8")) as ProcessRecord;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
