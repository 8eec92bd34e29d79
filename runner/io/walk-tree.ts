// Walks a directory tree that may be changed, even with malice, while it is walked: directories are entered, and links
// are read, from their parent's open descriptor, so a directory swapped for a symlink cannot lead the walk out of the
// tree. Synchronous: twice as fast as fs/promises for WordPress' many small files, and it runs in a worker.
import { type BigIntStats, closeSync, fstatSync, lstatSync, readdirSync } from "node:fs";
import { type ByteString, type SystemPath, systemPath } from "../plan/byte-string.ts";
import { type OpenDirectory, openDirectory } from "./open-directory.ts";

export interface TreeEntry {
  /** Below the walk's root; [] is the root. */
  readonly path: readonly ByteString[];
  /** What system calls take; valid during the visit. */
  readonly locate: () => SystemPath;
  /** Of a regular file a claim: whoever reads it asks what has been opened. */
  readonly stat: BigIntStats;
}

export interface TreeVisitor {
  /** In byte order within each directory; a directory before what is in it. */
  visit(entry: TreeEntry): void;
  /** A directory that says true is not entered, and nothing is visited. */
  excludes(path: readonly ByteString[], isDirectory: boolean): boolean;
  /** A name that was listed and then was gone, or was no longer what it had been. */
  vanished(path: readonly ByteString[]): void;
}

interface WalkedDirectory extends OpenDirectory {
  readonly path: readonly ByteString[];
  /** By which anybody would find it, if nobody swaps it or what it is in. */
  readonly usualPath: ByteString;
  /** In reverse, so that the next one is the last. */
  readonly names: ByteString[];
}

export function walkTree(root: string, visitor: TreeVisitor): void {
  const stack: WalkedDirectory[] = [];
  const enter = (location: ByteString, usualPath: ByteString, path: readonly ByteString[]): void => {
    const { fd, prefix } = openDirectory(location);
    const directory: WalkedDirectory = { fd, prefix, usualPath, path, names: [] };
    stack.push(directory); // Before anything can fail, so that it gets closed.
    const stat = fstatSync(fd, { bigint: true });
    for (const name of readdirSync(systemPath(`${prefix}/`), { encoding: "latin1" }))
      directory.names.push(name);
    directory.names.sort(descending);
    visitor.visit({ path, locate: () => systemPath(prefix), stat });
  };
  try {
    const rootPath = Buffer.from(root).toString("latin1");
    enter(rootPath, rootPath, []);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const name = top.names.pop();
      if (name === undefined) {
        closeSync(top.fd);
        stack.pop();
        continue;
      }
      visitName(top, name, visitor, enter);
    }
  } finally {
    for (const { fd } of stack) closeSync(fd);
  }
}

function visitName(
  directory: WalkedDirectory,
  name: ByteString,
  visitor: TreeVisitor,
  enter: (location: ByteString, usualPath: ByteString, path: readonly ByteString[]) => void,
): void {
  const path = [...directory.path, name];
  const ownPath = `${directory.prefix}/${name}`;
  const usualPath = `${directory.usualPath}/${name}`;
  const locate = (): SystemPath => systemPath(ownPath);
  const stat = glance(usualPath) ?? lstatSync(locate(), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) {
    visitor.vanished(path);
    return;
  }
  const isDirectory = stat.isDirectory();
  if (visitor.excludes(path, isDirectory)) return;
  try {
    if (isDirectory) enter(ownPath, usualPath, path);
    else visitor.visit({ path, locate, stat });
  } catch (error) {
    if (!isDirectory || !isGone(error)) throw error;
    visitor.vanished(path);
  }
}

/**
 * Half the time that a lookup from a descriptor takes (measured: two of four and a half microseconds; the detour through
 * /proc is the rest), and good enough for what is looked at again before it counts: a file as it is opened, a directory as
 * it is entered. Undefined of anything else, and where that path leads nowhere, as one that is too long.
 */
function glance(usualPath: ByteString): BigIntStats | undefined {
  try {
    const stat = lstatSync(systemPath(usualPath), { bigint: true, throwIfNoEntry: false });
    return stat?.isFile() === true || stat?.isDirectory() === true ? stat : undefined;
  } catch {
    // Whatever it is, the lookup that counts says it.
    return undefined;
  }
}

/** Removed, or replaced by something of another kind, between being seen and being opened. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && GONE.has(String(error.code));
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EINVAL", "ENXIO"]);

function descending(left: ByteString, right: ByteString): number {
  return left < right ? 1 : left > right ? -1 : 0;
}
