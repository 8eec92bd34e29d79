// Moves names of a live site about. The site may be hacked and its owner may rename what it likes meanwhile, so every
// path is walked from / by descriptors that refuse symlinks: root never renames or removes anything elsewhere.
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ByteString } from "../../plan/byte-string.ts";
import { openTreeCursor, type TreeCursor } from "../open-directory.ts";
import { exchangeNames } from "./exchange-names.ts";

export type Kind = "directory" | "other";

/** Paths are absolute and without symlinks; all throw as the system call does, ELOOP or ENOTDIR for a symlink. */
export interface SiteTree extends Disposable {
  /** Undefined if nothing is there. Does not follow a symlink. */
  readonly kindOf: (path: ByteString) => Kind | undefined;
  readonly statOf: (path: ByteString) => BigIntStats | undefined;
  readonly rename: (from: ByteString, to: ByteString) => void;
  /** Both are always there, for whoever looks. False, and nothing done, where the system or file system cannot. */
  readonly exchange: (one: ByteString, other: ByteString) => boolean;
  readonly link: (from: ByteString, to: ByteString) => void;
  readonly makeDirectory: (path: ByteString, mode: number) => void;
  /** With that one's owner and mode. */
  readonly makeDirectoryLike: (path: ByteString, model: BigIntStats) => void;
  /** Fails if something is there. */
  readonly makeFile: (path: ByteString, text: string, mode: number) => void;
  readonly unlink: (path: ByteString) => void;
  /** Makes the renames in `directory` last through a power cut. */
  readonly sync: (directory: ByteString) => void;
  /** With all that is in it; nothing there is fine. Lets other work run in between. */
  readonly remove: (path: ByteString) => Promise<void>;
}

const NAMES_PER_TURN = 500;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export function openSiteTree(): SiteTree {
  // Two, because a rename needs both its names open at the same time.
  const one = openTreeCursor("/");
  const two = openTreeCursor("/");
  // A cursor holds on to directories that it has been in, also when they have moved to another path.
  const forget = (): void => {
    one[Symbol.dispose]();
    two[Symbol.dispose]();
  };
  const statOf = (path: ByteString): BigIntStats | undefined => statAt(one, path);
  return {
    statOf,
    kindOf(path) {
      const stat = statOf(path);
      if (stat === undefined) return undefined;
      return stat.isDirectory() ? "directory" : "other";
    },
    rename(from, to) {
      renameSync(one.locate(names(from)), two.locate(names(to)));
      forget();
    },
    exchange(here, there) {
      const isDone = exchangeNames(one.locate(names(here)), two.locate(names(there)));
      forget();
      return isDone;
    },
    link: (from, to) => linkSync(one.locate(names(from)), two.locate(names(to))),
    makeDirectory: (path, mode) => mkdirSync(one.locate(names(path)), { mode }),
    makeDirectoryLike(path, model) {
      mkdirSync(one.locate(names(path)), { mode: 0o700 });
      const made = one.locate([...names(path), "."]);
      chownSync(made, Number(model.uid), Number(model.gid));
      chmodSync(made, Number(model.mode & 0o7777n));
    },
    makeFile(path, text, mode) {
      const fd = openSync(one.locate(names(path)), NEW_FILE, mode);
      try {
        writeSync(fd, text);
      } finally {
        closeSync(fd);
      }
    },
    unlink: (path) => unlinkSync(one.locate(names(path))),
    sync(directory) {
      const fd = openSync(one.locate([...names(directory), "."]), "r");
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    },
    async remove(path) {
      forget();
      using cursor = openTreeCursor("/");
      await removeTree(cursor, names(path));
    },
    [Symbol.dispose]: forget,
  };
}

export function parentPath(path: ByteString): ByteString {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function names(path: ByteString): ByteString[] {
  return path.split("/").filter((name) => name !== "");
}

function statAt(cursor: TreeCursor, path: ByteString): BigIntStats | undefined {
  try {
    return lstatSync(cursor.locate(names(path)), { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A directory on the way is not there.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

interface OpenRemoval {
  readonly path: readonly ByteString[];
  readonly names: ByteString[];
}

async function removeTree(cursor: TreeCursor, root: readonly ByteString[]): Promise<void> {
  const stack: OpenRemoval[] = [];
  let sinceTurn = 0;
  removeOrEnter(cursor, root, stack);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const name = top.names.pop();
    if (name === undefined) {
      stack.pop();
      rmdirSync(cursor.locate(top.path));
    } else {
      removeOrEnter(cursor, [...top.path, name], stack);
    }
    sinceTurn += 1;
    if (sinceTurn % NAMES_PER_TURN === 0) await nextTurn();
  }
}

function removeOrEnter(cursor: TreeCursor, path: readonly ByteString[], stack: OpenRemoval[]): void {
  try {
    const location = cursor.locate(path);
    const stat = lstatSync(location, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) {
      unlinkSync(location);
      return;
    }
    // "." has the cursor open the directory itself, and refuse if it has become a symlink since.
    stack.push({ path, names: readdirSync(cursor.locate([...path, "."]), { encoding: "latin1" }) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
