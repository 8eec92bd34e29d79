// Makes this process the last to get the CPU and the disk, so that a backup is not felt by the sites on the machine.
// Linux keeps both per thread, so it is done for those that exist; later ones, and child processes, inherit it.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { promisify } from "node:util";
import { findProgram } from "./find-program.ts";

/** The idle class of ioprio_set(2). */
const IDLE_CLASS = "3";

/** `isIdleAtDisk`: the launcher has seen to that. Throws what the system says. */
export async function lowerPriority(isIdleAtDisk: boolean): Promise<void> {
  const threads = process.platform === "linux" ? await readdir("/proc/self/task") : [String(process.pid)];
  for (const thread of threads) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
  if (isIdleAtDisk) return;
  const ionice = findProgram(["ionice"]);
  if (ionice === undefined) return;
  await promisify(execFile)(ionice, ["-c", IDLE_CLASS, "-p", ...threads]);
}
