// After a kill -9 of ours, programs that a job has started live on. They work in that job's own directory, where nobody
// else does: so they are found by it, and not by a number that may be another process' by now.

import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { kill } from "node:process";
import { setTimeout } from "node:timers/promises";

const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 20;

/** Resolves when no process works in or below `dir`. Only Linux tells; elsewhere nothing is done. */
export async function endProcessesIn(dir: string): Promise<void> {
  if (process.platform !== "linux") return;
  const place = await realpath(dir).catch(() => undefined);
  if (place === undefined) return;
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = await processesIn(place);
    if (left.length === 0 || performance.now() > deadlineMs) return;
    for (const pid of left) end(pid);
    // Whose child it was is unknown, so nobody tells when it is gone.
    await setTimeout(LOOK_AGAIN_MS);
  }
}

async function processesIn(place: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // It may end meanwhile, or be another user's.
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      const isThere = cwd === place || cwd.startsWith(`${place}/`);
      return isThere && !(await hasTerminal(pid)) ? [pid] : [];
    }),
  );
  return found.flat().filter((pid) => pid !== process.pid);
}

/** An operator who looks around; what a job starts has none. */
async function hasTerminal(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  // proc_pid_stat(5): state, ppid, pgrp, session, tty_nr follow the name, which may hold anything.
  const [, , , , terminal = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return terminal !== "0";
}

function end(pid: number): void {
  try {
    kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
