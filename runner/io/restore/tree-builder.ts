// Makes files, links and directories below one directory and nowhere else. Every name is looked up from an open
// descriptor of its parent, and no symlink is ever followed, so neither an archive nor whoever else may write there can
// lead root out of it. A file that is there already is never opened.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { BackupError } from "#shared/errors.ts";
import { corrupt } from "#shared/format/corrupt.ts";
import { isSafeEntryName } from "#shared/format/entry-name.ts";
import { type ByteString, forDisplay, type SystemPath, systemPath, toBytes } from "../../plan/byte-string.ts";
import { mapOwner, type Owner, type OwnerMap } from "../../plan/restore/owner-map.ts";
import { type OpenDirectory, openDirectory } from "../open-directory.ts";

export interface Metadata {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
}

export interface FileWriter {
  write(bytes: Uint8Array): void;
  /** With its owner, mode and time. */
  close(): void;
}

export interface TreeBuilder extends Disposable {
  /** A new file; parents are made as needed. */
  createFile(name: ByteString, metadata: Metadata): FileWriter;
  symlink(name: ByteString, target: ByteString, metadata: Metadata): void;
  /** `target`: a name in this tree. */
  hardLink(name: ByteString, target: ByteString): void;
  /** Makes it if need be, and gives it its owner, mode and time: after everything in it. */
  finishDirectory(name: ByteString, metadata: Metadata): void;
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Of directories that no entry describes; the tree's own top keeps others out until it is whole. */
const DIRECTORY = 0o755;
/**
 * A file with these bits is a program that runs as its owner, which no site needs and an attacker wants: they stay
 * behind. On directories they mean other things.
 */
const SET_ID_BITS = 0o6000;
const SET_GID = 0o2000;
const PERMISSION_BITS = 0o777;

/** `root`: the path of a directory, as bytes. `owners`: not as they are on record. All methods throw BackupError. */
export function openTreeBuilder(root: ByteString, owners?: OwnerMap): TreeBuilder {
  const open = [{ name: "", ...openDirectory(root) }];
  /** Of hard links: where their targets lie. */
  const targets = [{ name: "", ...openDirectory(root) }];

  const umask = process.umask();
  const owns = newFileOwner(open[0]?.fd ?? -1);
  const ownerOf = (owner: Owner): Owner => (owners === undefined ? owner : mapOwner(owners, owner));
  /** A third of the time that small files take goes into calls that change nothing; they are left out. */
  const restore = (fd: number, { mode, mtimeNs, ...recorded }: Metadata, hasMode: boolean): void => {
    const { uid, gid } = ownerOf(recorded);
    // In this order: a new owner clears bits of the mode.
    if (owns.mayChange && !(owns.uid === uid && owns.gid === gid)) fchownSync(fd, uid, gid);
    if (!hasMode) fchmodSync(fd, mode);
    const time = timeOf(mtimeNs);
    futimesSync(fd, time, time);
  };

  return {
    createFile: (name, metadata) =>
      attempt(name, () => {
        const mode = metadata.mode & ~SET_ID_BITS;
        const fd = openSync(locate(open, name), NEW_FILE, mode & PERMISSION_BITS);
        return {
          write: (bytes) => attempt(name, () => writeAll(fd, bytes)),
          close() {
            try {
              const hasMode = (mode & PERMISSION_BITS & ~umask) === mode;
              attempt(name, () => restore(fd, { ...metadata, mode }, hasMode));
            } finally {
              closeSync(fd);
            }
          },
        };
      }),
    symlink: (name, target, { mtimeNs, ...recorded }) =>
      attempt(name, () => {
        const { uid, gid } = ownerOf(recorded);
        const path = locate(open, name);
        symlinkSync(toBytes(target), path);
        if (owns.mayChange) lchownSync(path, uid, gid);
        const time = timeOf(mtimeNs);
        lutimesSync(path, time, time);
      }),
    hardLink: (name, target) =>
      attempt(name, () => linkSync(locateThere(targets, target), locate(open, name))),
    finishDirectory: (name, metadata) =>
      attempt(name, () => {
        const { fd } = enter(open, [...componentsOf(name), ""]);
        restore(fd, metadata, false);
      }),
    [Symbol.dispose]() {
      for (const { fd } of [...open, ...targets]) closeSync(fd);
    },
  };
}

interface NewFileOwner {
  /** Only root gives files away. */
  readonly mayChange: boolean;
  readonly uid: number | undefined;
  /** Undefined where the directory decides. */
  readonly gid: number | undefined;
}

/** Whom new files in the tree belong to. */
function newFileOwner(root: number): NewFileOwner {
  const uid = process.geteuid?.();
  const isInherited = (fstatSync(root).mode & SET_GID) !== 0;
  return { mayChange: uid === 0, uid, gid: isInherited ? undefined : process.getegid?.() };
}

type OpenPath = (OpenDirectory & { readonly name: ByteString })[];

/** What system calls take for `name`; its parent stays open until another is entered. */
function locate(open: OpenPath, name: ByteString): SystemPath {
  const components = componentsOf(name);
  return systemPath(`${enter(open, components).prefix}/${components.at(-1)}`);
}

/** The same for what must have been made before. */
function locateThere(open: OpenPath, name: ByteString): SystemPath {
  try {
    const components = componentsOf(name);
    const path = systemPath(`${enter(open, components, openDirectory).prefix}/${components.at(-1)}`);
    lstatSync(path);
    return path;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    throw corrupt(`A hard link names ${forDisplay(name)}, which was not restored`, error);
  }
}

/** The parent of the last component, made if it is not there. Neighbours share the directories above them. */
function enter(
  open: OpenPath,
  components: readonly ByteString[],
  openChild: (path: ByteString) => OpenDirectory = openOrMake,
): OpenDirectory {
  let depth = 1;
  while (depth < components.length && open[depth]?.name === components[depth - 1]) depth += 1;
  for (const { fd } of open.splice(depth)) closeSync(fd);
  let parent = open.at(-1);
  for (const name of components.slice(depth - 1, -1)) {
    parent = { name, ...openChild(`${parent?.prefix}/${name}`) };
    open.push(parent);
  }
  if (parent === undefined) throw new Error("the tree's root is closed");
  return parent;
}

function openOrMake(path: ByteString): OpenDirectory {
  try {
    return openDirectory(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  try {
    mkdirSync(systemPath(path), DIRECTORY);
  } catch (error) {
    // Another thread was faster; what it is, opening it says.
    if (codeOf(error) !== "EEXIST") throw error;
  }
  return openDirectory(path);
}

function componentsOf(name: ByteString): ByteString[] {
  if (!isSafeEntryName(name) || name.includes("\0"))
    throw corrupt(`The name ${forDisplay(name)} leads out of the archive`);
  return name.split("/");
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** Seconds as Node takes them: a double is good to a quarter of a microsecond. Before 1970 only a Date will do. */
function timeOf(timeNs: bigint): number | Date {
  if (timeNs < 0n) return new Date(Math.floor(Number(timeNs) / 1e6));
  return Number(timeNs / 1_000_000_000n) + Number(timeNs % 1_000_000_000n) / 1e9;
}

/** What a name of the archive cannot be, because of another one of it. */
const COLLISIONS: ReadonlySet<string> = new Set(["EEXIST", "ENOTDIR", "ELOOP", "EISDIR"]);

function attempt<T>(name: ByteString, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw writeFailed(error, name);
  }
}

export function writeFailed(error: unknown, name: ByteString): BackupError {
  const code = codeOf(error) ?? (error instanceof Error ? error.message : String(error));
  const shown = forDisplay(name).slice(0, 500);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new BackupError("disk_full", {
      detail: `${shown}: no room to restore it (${code})`,
      hint: "Free some space, or restore to another disk with --to.",
      cause: error,
    });
  }
  if (COLLISIONS.has(code)) {
    return corrupt(
      `${shown} is in the way of, or below, another entry that is no directory (${code})`,
      error,
    );
  }
  return new BackupError("restore_write_failed", { detail: `${shown}: ${code}`, cause: error });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
