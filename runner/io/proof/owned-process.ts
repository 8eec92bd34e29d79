// A program that is ours to end, with whatever it starts: it leads a process group of its own, which gets SIGKILL. What
// such a program works on is thrown away afterwards, so nothing is gained by asking it. It does not outlive us, either.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { Socket } from "node:net";
import { BackupError } from "#shared/errors.ts";

export interface OwnedProcess extends AsyncDisposable {
  /** Resolves when it has ended, with a word on how: "code 1", "SIGSEGV". */
  readonly ended: Promise<string>;
  /** The last of what it has written, for an error. */
  lastWords(): Promise<string>;
}

export interface OwnedOptions {
  /** Within the job's own directory: what a dead job leaves running is found by it (end-left-processes.ts). */
  readonly cwd: string;
  /** Appended to. */
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/**
 * A guard in the program's group holds the other end of a pipe of ours, which closes with us, even by SIGKILL: then it
 * ends the group. It is there before the program is, so no moment is too early for it, as some are for bubblewrap's
 * --die-with-parent: killed while the cage was built, we left the site's code running for ever.
 */
const GUARDED = '(read -r _ <&3; kill -KILL 0) & exec "$@" 3<&-';
/** `mariadb-install-db` looks for the server beside it and here. */
const ENVIRONMENT = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin", LC_ALL: "C" };
const LAST_WORDS_CHARS = 800;

/** Disposing, and the signal, end it. @throws BackupError `proof_server_failed` if it cannot be started at all. */
export async function startOwned(
  program: string,
  args: readonly string[],
  options: OwnedOptions,
): Promise<OwnedProcess> {
  const { cwd, logFile, signal } = options;
  await using log = await open(logFile, "a", 0o600);
  signal.throwIfAborted();
  const child = spawn("/bin/sh", ["-c", GUARDED, "sh", program, ...args], {
    cwd,
    detached: true,
    env: ENVIRONMENT,
    stdio: ["ignore", log.fd, log.fd, "pipe"],
  });
  const unguarded = endOfGuard(child);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, by) => resolve(by ?? `code ${code}`));
  });
  const kill = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  signal.addEventListener("abort", kill, { once: true });
  const owned: OwnedProcess = {
    ended,
    async lastWords() {
      const said = (await readFile(logFile, "utf8"))
        .split("\n")
        .filter((line) => /error|fail|abort/i.test(line));
      return said.join(" | ").slice(-LAST_WORDS_CHARS);
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", kill);
      kill();
      await Promise.all([ended, unguarded]);
    },
  };
  if (child.pid === undefined) throw new BackupError("proof_server_failed", { detail: await ended });
  return owned;
}

/** Resolves when the guard has ended: nobody else holds its end of the pipe. */
async function endOfGuard({ stdio: [, , , pipe] }: ChildProcess): Promise<void> {
  if (!(pipe instanceof Socket)) return;
  pipe.resume();
  // Should it fail, it is over, too.
  await once(pipe, "close").catch(() => undefined);
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
