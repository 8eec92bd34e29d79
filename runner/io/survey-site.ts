// One look at everything a backup of a site consists of, before anything of it is read: one lstat per name, as the
// copy planner wants it. wp-config.php comes first, then wp-content, parents before what is in them.
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync } from "node:fs";
import { BackupError } from "#shared/errors.ts";
import type { EntryStat, EntryType } from "#shared/format/index-entry.ts";
import { type ByteString, forDisplay, type SystemPath } from "../plan/byte-string.ts";
import { excludesFor } from "../plan/excludes.ts";
import type { PackPlace } from "./pack-protocol.ts";
import { type PackWarnings, VANISHED } from "./pack-warnings.ts";
import { isGone, type TreeEntry, walkTree } from "./walk-tree.ts";

export const CONFIG_NAME = "wp-config.php";
export const CONTENT_NAME = "wp-content";
/** A FIFO would block, a symlink lead elsewhere. */
export const FILE_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** @throws BackupError `site_unreadable` where rights are missing, else `archive_read_failed`; with the path. */
export function surveySite(place: PackPlace, warnings: PackWarnings, see: (entry: EntryStat) => void): void {
  /** The first name of every inode that has several. */
  const firstNames = new Map<string, ByteString>();
  const seeFile = (name: ByteString, stat: BigIntStats): void => {
    const inode = stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined;
    const first = inode === undefined ? undefined : firstNames.get(inode);
    if (inode !== undefined && first === undefined) firstNames.set(inode, name);
    see(first === undefined ? entryStat("f", name, stat) : { ...entryStat("h", name, stat), link: first });
  };
  seeFile(CONFIG_NAME, statConfig(place.configPath));
  walkContent(place, warnings, ({ path, locate, stat }) => {
    const name = archiveName(path);
    if (stat.isFile()) seeFile(name, stat);
    else if (stat.isDirectory()) see(entryStat("d", name, stat));
    else if (stat.isSymbolicLink()) {
      const link = readLink(locate());
      if (link === undefined) warnings.warn("file_vanished", name, VANISHED);
      else see({ ...entryStat("l", name, stat), link });
    } else {
      warnings.warn(
        "special_file_skipped",
        name,
        "is a socket, a pipe or a device, and is not in the backup",
      );
    }
  });
}

export function entryStat(type: EntryType, name: ByteString, stat: BigIntStats): EntryStat {
  return {
    type,
    name,
    size: type === "f" ? Number(stat.size) : 0,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    ino: stat.ino,
  };
}

/** What fails on the way, fails with the name of the entry it was at. */
function walkContent(place: PackPlace, warnings: PackWarnings, visit: (entry: TreeEntry) => void): void {
  const excludes = excludesFor(place.exclude);
  let current: readonly ByteString[] = [];
  try {
    walkTree(place.contentDir, {
      vanished: (path) => warnings.warn("file_vanished", archiveName(path), VANISHED),
      excludes(path, isDirectory) {
        current = path;
        return excludes(path, isDirectory);
      },
      visit(entry) {
        current = entry.path;
        visit(entry);
      },
    });
  } catch (error) {
    throw readFailed(error, [place.contentDir, ...current.map(forDisplay)].join("/"));
  }
}

function statConfig(path: string): BigIntStats {
  try {
    const fd = openSync(path, FILE_FLAGS);
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (!stat.isFile()) throw new Error("it is not a regular file");
      return stat;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw readFailed(error, path);
  }
}

function readLink(location: SystemPath): ByteString | undefined {
  try {
    return readlinkSync(location, { encoding: "latin1" });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function archiveName(path: readonly ByteString[]): ByteString {
  return [CONTENT_NAME, ...path].join("/");
}

export function readFailed(error: unknown, path: string): BackupError {
  if (error instanceof BackupError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === undefined && !(error instanceof Error)) return new BackupError("unexpected", { cause: error });
  // Rights have another remedy than a broken disk.
  const kind = code === "EACCES" || code === "EPERM" ? "site_unreadable" : "archive_read_failed";
  return new BackupError(kind, {
    detail: `${path}: ${code ?? (error instanceof Error ? error.message : "")}`,
    cause: error,
  });
}
