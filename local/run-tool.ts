// Runs one stock program to its end. No shell: arguments are a list and redirections are file handles.
import { spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** `< file` */
  readonly stdinFile?: string;
  /** `> file` */
  readonly stdoutFile?: string;
}

/** The program's standard output. Throws an Error with the end of its standard error when it exits non-zero. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const stdin = options.stdinFile === undefined ? undefined : await open(options.stdinFile, "r");
  const stdout = options.stdoutFile === undefined ? undefined : await open(options.stdoutFile, "w", 0o600);
  try {
    return await runWith(program, args, options, stdin, stdout);
  } finally {
    await stdin?.close();
    await stdout?.close();
  }
}

function runWith(
  program: string,
  args: readonly string[],
  options: ToolOptions,
  stdin: FileHandle | undefined,
  stdout: FileHandle | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
      stdio: [stdin?.fd ?? "ignore", stdout?.fd ?? "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    let err = "";
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => {
      err = (err + chunk.toString()).slice(-4000);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`${program} ended with ${signal ?? `exit code ${code}`}: ${err.trim()}`));
    });
  });
}
