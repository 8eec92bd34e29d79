// What a process has started, and what that has started, whoever's they become when it dies. Of Linux.
import { readdirSync, readFileSync } from "node:fs";

export interface Descendant {
  readonly pid: number;
  readonly name: string;
  /** Tells it from a later one of the same pid. */
  readonly birth: string;
}

interface Row extends Descendant {
  readonly parent: number;
}

export function descendantsOf(pid: number): Descendant[] {
  const rows = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? rowOf(Number(name)) : []));
  const below = (parent: number): Row[] =>
    rows.filter((row) => row.parent === parent).flatMap((row) => [row, ...below(row.pid)]);
  return below(pid).map(({ parent: _parent, ...rest }) => rest);
}

export function isAlive({ pid, birth }: Descendant): boolean {
  return rowOf(pid).some((row) => row.birth === birth);
}

/** proc_pid_stat(5): pid (comm) state ppid …, the start time is field 22. Nothing if it has ended. */
function rowOf(pid: number): Row[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return [];
  }
  const end = text.lastIndexOf(")");
  const [state, parent, ...rest] = text.slice(end + 2).split(" ");
  if (state === "Z") return [];
  const name = text.slice(text.indexOf("(") + 1, end);
  return [{ pid, name, parent: Number(parent), birth: rest[17] ?? "" }];
}
