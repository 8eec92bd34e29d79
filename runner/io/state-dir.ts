// The one directory that the runner owns: what is where in it, and that nobody else can read it. It holds the
// node's private keys and, while a job runs, pieces of a database.
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BackupError } from "#shared/errors.ts";
import { endProcessesIn } from "./end-left-processes.ts";
import { tryLock } from "./lock.ts";

export interface StateDir {
  readonly path: string;
  readonly identityFile: string;
  /** Reports that the Master has not taken yet. */
  readonly outboxDir: string;
  /** One file per multipart upload that is open. */
  readonly uploadsDir: string;
  /** What this node's storage does otherwise than S3. */
  readonly quirksFile: string;
  /** One file per site: how its last job here ended. */
  readonly lastDir: string;
  /** One file per site: the index of its newest archive. */
  readonly indexDir: string;
  /** One journal per restore in place, and what it keeps for undo. */
  readonly restoresDir: string;
  /** What the operator wrote to help with a site; we only read it. */
  siteEnvFile(siteId: string): string;
  /** One daemon per state directory: undefined if another holds it. */
  tryLock(): Disposable | undefined;
  /** A job's own scratch directory, locked as long as its process lives. Throws `already_running`, `disk_full`. */
  openSpool(jobId: string): Promise<Spool>;
  /** Jobs that have something in the spool, with whether their process still lives. */
  listSpools(): Promise<SpoolState[]>;
  removeSpool(jobId: string): Promise<void>;
}

export interface SpoolState {
  readonly jobId: string;
  readonly isAlive: boolean;
}

export interface Spool {
  readonly dir: string;
  /** Removes it with all that is in it, and lets go of its lock. */
  remove(): Promise<void>;
}

const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** What the file system said about a path of ours, as an error with a remedy. */
export function stateError(error: unknown, path: string): BackupError {
  if (error instanceof BackupError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const kind = FULL.has(code) ? "disk_full" : "state_dir_unusable";
  return new BackupError(kind, { detail: `${path}: ${message}`, cause: error });
}

async function checkPrivate(path: string): Promise<void> {
  const { mode, uid } = await stat(path);
  const euid = process.geteuid?.() ?? uid;
  if (uid !== euid) {
    const hint = `Run backupd as the owner, or: chown -R ${euid} ${path}`;
    throw new BackupError("state_dir_unusable", {
      detail: `${path} belongs to user ${uid}, not ${euid}`,
      hint,
    });
  }
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, "0");
    const hint = `Make it private: chmod go= ${path}`;
    throw new BackupError("state_dir_unusable", {
      detail: `${path} has mode ${shown}: others may read it`,
      hint,
    });
  }
}

/** Throws `state_dir_unusable` unless the file is there, ours and private. */
export async function checkPrivateFile(path: string): Promise<void> {
  await checkPrivate(path);
}

function isHeld(lockFile: string): boolean {
  const lock = tryLock(lockFile);
  lock?.[Symbol.dispose]();
  return lock === undefined;
}

/** Holds the state directory for this process. Throws `already_running`. */
export function lockStateDir(state: StateDir): Disposable {
  const lock = state.tryLock();
  if (lock === undefined) {
    throw new BackupError("already_running", { detail: `another backupd uses ${state.path}` });
  }
  return lock;
}

/** Makes what is missing and checks what is there. Throws `state_dir_unusable` or `disk_full`. */
export async function openStateDir(path: string): Promise<StateDir> {
  const outboxDir = join(path, "outbox");
  const spoolRoot = join(path, "spool");
  const uploadsDir = join(path, "uploads");
  const lastDir = join(path, "last");
  const indexDir = join(path, "index");
  const restoresDir = join(path, "restores");
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await checkPrivate(path);
    for (const dir of [
      outboxDir,
      join(outboxDir, "rejected"),
      spoolRoot,
      uploadsDir,
      lastDir,
      indexDir,
      restoresDir,
      join(path, "sites"),
    ]) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
    }
  } catch (error) {
    throw stateError(error, path);
  }
  // Beside the spool, not in it: the job finds its directory empty, and removing it does not remove the lock.
  const lockOf = (jobId: string): string => join(spoolRoot, `${jobId}.lock`);
  /** What works in it would go on writing. */
  const clearSpool = async (jobId: string): Promise<void> => {
    const dir = join(spoolRoot, jobId);
    await endProcessesIn(dir);
    await rm(dir, { recursive: true, force: true });
  };
  const removeSpool = async (jobId: string): Promise<void> => {
    await clearSpool(jobId);
    await rm(lockOf(jobId), { force: true });
  };
  return {
    path,
    identityFile: join(path, "identity.json"),
    outboxDir,
    uploadsDir,
    quirksFile: join(path, "storage-quirks.json"),
    lastDir,
    indexDir,
    restoresDir,
    siteEnvFile: (siteId) => join(path, "sites", `${siteId}.env`),
    tryLock: () => tryLock(join(path, "lock")),
    async openSpool(jobId) {
      const lock = tryLock(lockOf(jobId));
      if (lock === undefined)
        throw new BackupError("already_running", { detail: `job ${jobId} runs already` });
      const dir = join(spoolRoot, jobId);
      try {
        await clearSpool(jobId);
        await mkdir(dir, { mode: 0o700 });
      } catch (error) {
        lock[Symbol.dispose]();
        throw stateError(error, dir);
      }
      return {
        dir,
        async remove() {
          try {
            await removeSpool(jobId);
          } finally {
            lock[Symbol.dispose]();
          }
        },
      };
    },
    async listSpools() {
      const names = await readdir(spoolRoot);
      const jobIds = [...new Set(names.map((name) => name.replace(/\.lock$/, "")))];
      return jobIds.map((jobId) => ({ jobId, isAlive: isHeld(lockOf(jobId)) }));
    },
    removeSpool,
  };
}
