// The restores in place that this node remembers: a journal each, and beside it a directory for what it keeps. The
// journal is written first and removed last, so that no directory is ever left without one.
import { mkdir, readdir, readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { BackupError } from "#shared/errors.ts";
import { RestoreJournal } from "../../plan/restore/restore-journal.ts";
import { writeFileAtomic } from "../atomic-file.ts";
import { tryLock } from "../lock.ts";
import { stateError } from "../state-dir.ts";

export interface RestoreStore {
  /** Without symlinks. */
  readonly dir: string;
  /** A restore's own directory, 0700, below `dir`. */
  dirOf(id: string): string;
  makeDir(id: string): Promise<void>;
  /** Oldest first. @throws BackupError `state_dir_unusable` if a journal cannot be read. */
  list(): Promise<RestoreJournal[]>;
  /** Durable when it resolves. */
  write(journal: RestoreJournal): Promise<void>;
  /** The directory, then the journal. */
  remove(id: string): Promise<void>;
  /** One restore or undo of a site at a time; the kernel lets go when the process dies. @throws `already_running`. */
  lockSite(siteId: string): Disposable;
}

/** `dir` exists and is private to us. */
export async function openRestoreStore(dir: string): Promise<RestoreStore> {
  const root = await realpath(dir);
  const journalOf = (id: string): string => join(root, `${id}.json`);
  const dirOf = (id: string): string => join(root, id);
  return {
    dir: root,
    dirOf,
    makeDir: async (id) => await guarded(dirOf(id), () => mkdir(dirOf(id), { mode: 0o700 })),
    async list() {
      const names = (await readdir(root)).filter((name) => name.endsWith(".json"));
      const journals = await Promise.all(names.map((name) => readJournal(join(root, name))));
      return journals
        .filter((journal) => journal !== undefined)
        .sort((left, right) => (left.started_at < right.started_at ? -1 : 1));
    },
    write: async (journal) =>
      await guarded(root, () => writeFileAtomic(journalOf(journal.id), JSON.stringify(journal, null, 2))),
    async remove(id) {
      await rm(dirOf(id), { recursive: true, force: true });
      await rm(journalOf(id), { force: true });
    },
    lockSite(siteId) {
      const lock = tryLock(join(root, `${siteId}.lock`));
      if (lock !== undefined) return lock;
      throw new BackupError("already_running", {
        detail: `A restore or an undo of site ${siteId} is at work`,
        hint: "Wait until it is done.",
      });
    },
  };
}

async function guarded(path: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw stateError(error, path);
  }
}

async function readJournal(path: string): Promise<RestoreJournal | undefined> {
  try {
    return RestoreJournal.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    // Removed since it was listed: another process has finished with it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new BackupError("state_dir_unusable", {
      detail: `${path}, which says what a restore has changed, cannot be read`,
      hint: "Compare the site with what lies beside that file; then move it away.",
      cause: error,
    });
  }
}
