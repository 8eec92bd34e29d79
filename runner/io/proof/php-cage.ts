// The cage in which the code of a restored site may run: bubblewrap's namespaces without any network, with nothing of this
// machine but its programs, read-only; a user of its own that nobody else is, without rights; little memory, few processes,
// small files, and an end. Where that cannot be had, nothing is run.
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { BackupError } from "#shared/errors.ts";
import { freeBytes } from "../disk.ts";
import { findProgram } from "../find-program.ts";
import { startOwned } from "./owned-process.ts";

export interface Cage {
  readonly bwrap: string;
  readonly setpriv: string;
  readonly prlimit: string;
  readonly choom: string;
  /** Without symlinks: in the cage most are not there. */
  readonly php: string;
  readonly uid: number;
}

export type FindProgram = typeof findProgram;

/** Nobody's, by Debian's policy and by systemd's; no passwd line may say otherwise. */
const UIDS = [65_533, 65_532, 65_531, 65_530];
const PROCESSES = 32;
const ADDRESS_SPACE_BYTES = 1_073_741_824;
const MEMORY_BYTES = 1_073_741_824;
const FILE_BYTES = 67_108_864;
const TMP_BYTES = 67_108_864;
/** The throw-away server's files may grow until no more than this is free. */
const FREE_BYTES = 268_435_456;
const LOOK_AGAIN_MS = 250;

/** A text says why there is none. */
export async function findCage(find: FindProgram = findProgram): Promise<Cage | string> {
  const php = find(["php"]);
  if (php === undefined) return "PHP is not installed (apt install php-cli php-mysql)";
  if (process.platform !== "linux") return "WordPress can only be locked up on Linux";
  if (process.geteuid?.() !== 0) return "only root can lock WordPress up; backupd runs as another user";
  const bwrap = find(["bwrap"]);
  if (bwrap === undefined)
    return "bubblewrap, which locks WordPress up, is not installed (apt install bubblewrap)";
  const [setpriv, prlimit, choom] = [find(["setpriv"]), find(["prlimit"]), find(["choom"])];
  if (setpriv === undefined || prlimit === undefined || choom === undefined) {
    return "util-linux (setpriv, prlimit, choom) is not installed";
  }
  const taken = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => Number(line.split(":")[2]));
  const uid = UIDS.find((each) => !taken.includes(each));
  if (uid === undefined) return `the users ${UIDS.join(", ")} are all taken`;
  return { bwrap, setpriv, prlimit, choom, php: await realpath(php), uid };
}

export interface CageMount {
  readonly from: string;
  readonly to: string;
}

export interface CagedRun {
  /** Seen at these places, read-only. */
  readonly mounts: readonly CageMount[];
  /** A socket that may be talked to. */
  readonly socket: CageMount;
  /** PHP's arguments. */
  readonly args: readonly string[];
  /** In the job's own directory; what it writes goes into `logFile` there. */
  readonly cwd: string;
  readonly logFile: string;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/** How it ended, in words. All that ran in the cage has ended, too. @throws the signal's reason. */
export async function runCaged(cage: Cage, run: CagedRun): Promise<string> {
  const { cwd, logFile, signal } = run;
  await using caged = await startOwned(cage.prlimit, await cageArgs(cage, run), { cwd, logFile, signal });
  const deadlineMs = performance.now() + run.patienceMs;
  for (;;) {
    const end = await Promise.race([caged.ended, setTimeout(LOOK_AGAIN_MS, undefined)]);
    signal.throwIfAborted();
    if (end !== undefined) return end;
    if (performance.now() > deadlineMs)
      return `no answer within ${Math.round(run.patienceMs / 1000)} seconds`;
    if ((await freeBytes(cwd)) < FREE_BYTES) return "hardly any disk space left, so it was stopped";
    if ((await memoryOf(cage.uid)) > MEMORY_BYTES) return "more memory than it may have, so it was stopped";
  }
}

async function cageArgs(cage: Cage, { mounts, socket, args }: CagedRun): Promise<string[]> {
  return [
    `--as=${ADDRESS_SPACE_BYTES}`,
    `--nproc=${PROCESSES}`,
    `--fsize=${FILE_BYTES}`,
    "--core=0",
    "--",
    // When memory runs short, it is the first to go.
    ...[cage.choom, "-n", "1000", "--"],
    cage.bwrap,
    ...["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    // No --new-session: it takes the cage's first process out of the group that ends with us. There is no terminal here.
    ...["--die-with-parent", "--clearenv"],
    ...[
      "--cap-drop",
      "ALL",
      "--cap-add",
      "CAP_SETUID",
      "--cap-add",
      "CAP_SETGID",
      "--cap-add",
      "CAP_SETPCAP",
    ],
    ...(await systemMounts(cage.php)),
    ...["--dev", "/dev", "--proc", "/proc"],
    ...["--perms", "1777", "--size", String(TMP_BYTES), "--tmpfs", "/tmp"],
    ...mounts.flatMap(({ from, to }) => ["--ro-bind", from, to]),
    ...["--dir", dirname(socket.to), "--bind", socket.from, socket.to],
    ...["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "TMPDIR", "/tmp", "--chdir", "/"],
    ...[cage.setpriv, `--reuid=${cage.uid}`, `--regid=${cage.uid}`, "--clear-groups"],
    ...["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", "--"],
    cage.php,
    ...args,
  ];
}

/** Programs, libraries and PHP's own settings; nothing that belongs to a site or a service. */
async function systemMounts(php: string): Promise<string[]> {
  const args = ["--ro-bind", "/usr", "/usr", "--dir", "/etc"];
  for (const path of ["/bin", "/sbin", "/lib", "/lib32", "/lib64"]) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) continue;
    args.push(...(real === path ? ["--ro-bind", path, path] : ["--symlink", real.slice(1), path]));
  }
  for (const path of ["/etc/php", "/etc/php.ini", "/etc/php.d", "/etc/ld.so.cache"]) {
    if (await stat(path).catch(() => undefined)) args.push("--ro-bind", path, path);
  }
  // Panels and vendors have theirs in /opt, each version in a directory of its own.
  if (!/^\/(?:usr|bin|sbin)\//.test(php))
    args.push("--ro-bind", dirname(dirname(php)), dirname(dirname(php)));
  return args;
}

/** All of a user's; nobody else is that user. */
async function memoryOf(uid: number): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  let pages = 0;
  for (const pid of pids) {
    const owner = await stat(`/proc/${pid}`).catch(() => undefined);
    if (owner?.uid !== uid) continue;
    const statm = await readFile(`/proc/${pid}/statm`, "utf8").catch(() => "");
    pages += Number(statm.split(" ")[1] ?? 0);
  }
  return pages * 4096;
}

/** The last of what was written, however much that is. @throws BackupError `proof_server_failed`. */
export async function readOutput(logFile: string): Promise<string> {
  try {
    const text = await readFile(logFile, "utf8");
    return text.slice(-65_536);
  } catch (cause) {
    throw new BackupError("proof_server_failed", { detail: "The cage's output cannot be read", cause });
  }
}
