// Which processes there are, with what tells one from another that later gets the same pid: when it was born.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

export interface ProcessRow {
  readonly pid: number;
  readonly group: number;
  /** Comparable only with others of the same machine and boot. */
  readonly birth: string;
  /** Ended, and its exit code not yet collected; in a container without an init it may stay for ever. */
  readonly isZombie: boolean;
}

/** Linux tells it in /proc, also where no `ps` is installed; other systems have `ps`. */
export async function readProcessTable(): Promise<ProcessRow[]> {
  return existsSync("/proc/self/stat") ? await readProc() : await readPs();
}

export async function readProc(): Promise<ProcessRow[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(pids.map((pid) => readStat(pid)));
  return rows.filter((row) => row !== undefined);
}

/** proc(5): pid (comm) state ppid pgrp … with the start time in field 22; comm may hold blanks and brackets. */
async function readStat(pid: string): Promise<ProcessRow | undefined> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // Ended since the directory was listed.
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, , group] = fields;
  return { pid: Number(pid), group: Number(group), birth: fields[19] ?? "", isZombie: state === "Z" };
}

export async function readPs(): Promise<ProcessRow[]> {
  const args = ["-A", "-o", "pid=,pgid=,stat=,lstart="];
  const { stdout } = await promisify(execFile)("ps", args, { env: { ...process.env, LC_ALL: "C" } });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, group, state, ...birth] = line.trim().split(/\s+/);
      return {
        pid: Number(pid),
        group: Number(group),
        birth: birth.join(" "),
        isZombie: state?.startsWith("Z") === true,
      };
    });
}
