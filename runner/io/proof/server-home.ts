// Where a throw-away server lives. Nobody but us can reach the directory; a server with fewer rights than ours therefore
// gets it as its root directory, and sees nothing else of the machine.
import { execFile } from "node:child_process";
import { chmod, chown, lchown, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BackupError } from "#shared/errors.ts";
import { findProgram } from "../find-program.ts";
import { startOwned } from "./owned-process.ts";

export interface ServerHome {
  readonly dir: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** The server is to be this user, in `dir` as its root directory; undefined if we have no rights to give away. */
  readonly user: ServerUser | undefined;
}

export interface ServerUser {
  readonly name: string;
  readonly uid: number;
}

/** Not `mysql`: whose dump breaks out of this server would be at the machine's real databases. */
const USERS = ["nobody", "mysql"];

/** For the data directory and the server: they have to agree. */
export const LOG_SIZE_OPTION = "--innodb-log-file-size=64M";
export const SERVER_FILES_BYTES = 256 * 1024 * 1024;

/** MariaDB's, since MySQL's initialises and names itself otherwise. @throws BackupError `proof_needs_mariadbd`. */
export async function findServerProgram(signal: AbortSignal): Promise<string> {
  const program = findProgram(["mariadbd", "mysqld"]);
  if (program === undefined) throw new BackupError("proof_needs_mariadbd");
  const said = await versionOf(program, signal);
  if (/mariadb/i.test(said)) return program;
  throw new BackupError("proof_needs_mariadbd", { detail: `${program} is not MariaDB: ${said.trim()}` });
}

async function versionOf(program: string, signal: AbortSignal): Promise<string> {
  try {
    return (await promisify(execFile)(program, ["--no-defaults", "--version"], { signal })).stdout;
  } catch (error) {
    signal.throwIfAborted();
    throw new BackupError("proof_needs_mariadbd", { detail: `${program} does not run`, cause: error });
  }
}

/** `dir` does not exist. @throws BackupError `proof_*`; the signal's reason. */
export async function makeServerHome(dir: string, signal: AbortSignal): Promise<ServerHome> {
  const dataDir = join(dir, "data");
  const home = { dir, dataDir, logFile: join(dir, "log"), user: await findUser() };
  for (const path of [dir, dataDir, join(dir, "tmp"), join(dir, "etc")]) await mkdir(path, { mode: 0o700 });
  // What is above it is closed; in it, the server has to come in.
  await chmod(dir, 0o711);
  await installSystemTables(home, signal);
  if (home.user !== undefined) await giveTo(home.user, home);
  return home;
}

/** The first thing in the server's own root directory that it asks: who it is to be. */
async function giveTo({ name, uid }: ServerUser, { dir, dataDir }: ServerHome): Promise<void> {
  await chmod(join(dir, "etc"), 0o711);
  await writeFile(join(dir, "etc/passwd"), `${name}:x:${uid}:${uid}::/:/\n`, { mode: 0o644 });
  for (const path of [dataDir, join(dir, "tmp")]) {
    for (const below of await readdir(path, { recursive: true })) await lchown(join(path, below), uid, uid);
    await chown(path, uid, uid);
  }
}

async function findUser(): Promise<ServerUser | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const passwd = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of USERS) {
    const uid = Number(passwd.find(([known]) => known === name)?.[2] ?? 0);
    if (uid > 0) return { name, uid };
  }
  throw new BackupError("proof_server_failed", {
    detail: "There is no user `nobody` to run the server as",
    hint: "Add one: useradd --system --no-create-home nobody.",
  });
}

/** With the rights we have: it is MariaDB's own SQL that runs, and nothing of a backup. */
async function installSystemTables(home: ServerHome, signal: AbortSignal): Promise<void> {
  const program = findProgram(["mariadb-install-db", "mysql_install_db"]);
  if (program === undefined) {
    throw new BackupError("proof_needs_mariadbd", { detail: "mariadb-install-db is not installed" });
  }
  const args = [
    "--no-defaults",
    `--datadir=${home.dataDir}`,
    // A server that starts removes all temporary tables that it finds in this directory, of whichever server: in /tmp, those
    // of the site's own, in the middle of its queries.
    `--tmpdir=${join(home.dir, "tmp")}`,
    ...(home.user === undefined ? [] : ["--user=root"]),
    // Only we can reach its socket.
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--skip-name-resolve",
    LOG_SIZE_OPTION,
  ];
  await using install = await startOwned(program, args, { cwd: home.dataDir, logFile: home.logFile, signal });
  const how = await install.ended;
  signal.throwIfAborted();
  if (how === "code 0") return;
  const said = await install.lastWords();
  throw new BackupError("proof_server_failed", { detail: `${program} ended with ${how}: ${said}` });
}
