// Runs an installed program to its end, with its own words in the error when it fails.
import { execFile } from "node:child_process";

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
}

/** Resolves with stdout. Throws when the exit code is not 0; the message names the program, not its arguments. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = {
      maxBuffer: 64 * 1024 * 1024,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    };
    const child = execFile(command, args, limits, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const words = `${stderr}${stdout}`.trim().slice(-2000);
      reject(new Error(`${command} failed${error.code === undefined ? "" : ` (${error.code})`}: ${words}`));
    });
    // A program that ends without reading its input is judged by its exit code alone.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}
