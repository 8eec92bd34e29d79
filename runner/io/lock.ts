// A lock on a path that the kernel lets go of, however its holder dies. Node has no flock(2), a pid file lies
// after kill -9 (and across pid namespaces), and a stale socket cannot be taken over without a race; SQLite,
// which Node carries, locks its file by fcntl(2), and that is all it is used for here: nothing is ever stored.
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

/** Holds `path` until disposed or dead; undefined if somebody else, in this process or another, holds it. */
export function tryLock(path: string): Disposable | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}
