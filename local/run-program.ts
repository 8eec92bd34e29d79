// Runs an installed program to its end, with its own words in the error when it fails. No shell: arguments are a list
// and redirections are file handles.
import { spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { inheritedEnvironment } from "./own-process.ts";

export interface RunOptions {
  readonly cwd?: string;
  /** On top of this process' own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input; nothing by default. */
  readonly input?: string;
  /** `< file`, instead of `input`. */
  readonly stdinFile?: string;
  /** `> file`; the result is then empty. */
  readonly stdoutFile?: string;
}

/** Resolves with stdout. Throws when the exit code is not 0; the message names the program, not its arguments. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const stdin = options.stdinFile === undefined ? undefined : await open(options.stdinFile, "r");
  const stdout = options.stdoutFile === undefined ? undefined : await open(options.stdoutFile, "w", 0o600);
  try {
    return await runWith(program, args, options, { stdin, stdout });
  } finally {
    await stdin?.close();
    await stdout?.close();
  }
}

async function runWith(
  program: string,
  args: readonly string[],
  { cwd, env, input = "" }: RunOptions,
  files: { readonly stdin: FileHandle | undefined; readonly stdout: FileHandle | undefined },
): Promise<string> {
  const child = spawn(program, args, {
    cwd,
    env: { ...inheritedEnvironment(), LC_ALL: "C.UTF-8", ...env },
    stdio: [files.stdin?.fd ?? "pipe", files.stdout?.fd ?? "pipe", "pipe"],
  });
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  // A program that ends without reading its input is judged by its exit code alone.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  const [out, err, failure] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
    ended,
  ]);
  if (failure === undefined) return out;
  throw new Error(`${program} failed (${failure}): ${`${err}${out}`.trim().slice(-2000)}`);
}
