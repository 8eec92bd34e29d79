// One run of a database client program: logged in by db-login.ts, ended for certain when its work is cancelled, and
// its last words kept for the error.
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import { dbError } from "../plan/db-error.ts";
import { CLIENT_ENVIRONMENT, DEFAULTS_FILE_OPTION, openDbLogin } from "./db-login.ts";
import type { SiteDatabase } from "./site.ts";

export interface ClientProcess extends AsyncDisposable {
  readonly pid: number;
  /** Ends at once unless the program was started with `input`. Its own errors tell less than `ended()` does. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the program has ended well. @throws BackupError `db_*`, `dump_failed`; the signal's reason. */
  ended(): Promise<void>;
}

/** How long a program may take to obey SIGTERM before SIGKILL. */
const TERM_GRACE_MILLISECONDS = 3_000;
const MAX_STDERR_LENGTH = 16_384;

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

export interface ClientOptions {
  /** The program reads what is written to `stdin`. */
  readonly input?: boolean;
  /** What it is called if the program fails for no reason that has a name of its own. */
  readonly failure?: ErrorCode;
}

export function startClient(
  program: string,
  args: readonly string[],
  db: SiteDatabase,
  signal: AbortSignal,
  options: ClientOptions = {},
): ClientProcess {
  signal.throwIfAborted();
  using login = openDbLogin(db); // The child has its own copy of the descriptor once spawn() returns.
  const child = spawn(program, [DEFAULTS_FILE_OPTION, ...args], {
    stdio: ["pipe", "pipe", "pipe", login.fd],
    env: CLIENT_ENVIRONMENT,
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null)
    throw new BackupError("unexpected", { detail: "spawn gave no pipes" });
  stdin.on("error", () => undefined); // EPIPE: the program has ended, and `ended()` says why.
  if (options.input !== true) stdin.end();
  let said = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-MAX_STDERR_LENGTH);
  });
  const ending = new Promise<Ending>((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
    child.once("close", (code, by) => resolve({ code, signal: by }));
  });
  const stop = async (): Promise<void> => await stopChild(child, ending);
  const onAbort = (): void => void stop();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    pid: child.pid ?? 0,
    stdin,
    stdout,
    async ended() {
      const end = await ending;
      signal.throwIfAborted();
      if (end.error !== undefined) {
        throw new BackupError("dump_program_missing", { detail: end.error.message, cause: end.error });
      }
      if (end.code === 0) return;
      const how =
        end.signal === null ? `${program} ended with code ${end.code}` : `${program} got ${end.signal}`;
      throw dbError(said, how, [db.password], options.failure);
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", onAbort);
      await stop();
    },
  };
}

async function stopChild(child: ChildProcess, ending: Promise<Ending>): Promise<void> {
  // Unread output would keep `close` from coming.
  child.stdout?.destroy();
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), TERM_GRACE_MILLISECONDS);
  await ending;
  clearTimeout(timer);
}
