// Opens the few files of a site that the runner itself reads. The site may be hacked and the runner is root, so a
// symlink or a setting in there must not make it read what the site's owner could not.
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { BackupError } from "#shared/errors.ts";

const MAX_FILE_BYTES = 1_048_576;

export interface SiteFile {
  /** Without symlinks. */
  readonly path: string;
  readonly text: string;
  readonly uid: number;
}

/** The file's text; undefined if there is none. @throws BackupError `site_unreadable`. */
export function readSiteFile(path: string): SiteFile | undefined {
  const realPath = resolveOwned(path);
  if (realPath === undefined) return undefined;
  // O_NONBLOCK: opening a FIFO would wait for a writer that never comes.
  const fd = attempt(path, () =>
    openSync(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
  );
  if (fd === undefined) return undefined;
  try {
    const { size, uid } = regularFile(fd, path);
    const buffer = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const bytes = readSync(fd, buffer, filled, size - filled, filled);
      if (bytes === 0) break;
      filled += bytes;
    }
    return { path: realPath, text: buffer.toString("utf8", 0, filled), uid };
  } catch (error) {
    throw asUnreadable(error, path);
  } finally {
    closeSync(fd);
  }
}

function regularFile(fd: number, path: string): { size: number; uid: number } {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw new BackupError("site_unreadable", { detail: `${path} is not a regular file` });
  if (stat.size > MAX_FILE_BYTES) {
    throw new BackupError("site_unreadable", {
      detail: `${path} has ${stat.size} bytes; at most 1 MiB is read`,
    });
  }
  return stat;
}

/**
 * The path without symlinks, or undefined if nothing is there. Symlinks are common in deployments, and are followed
 * when root made them or when they point to something of the same owner (Apache's SymLinksIfOwnerMatch).
 */
export function resolveOwned(path: string): string | undefined {
  const link = attempt(path, () => lstatSync(path));
  if (link === undefined) return undefined;
  const realPath = attempt(path, () => realpathSync(path));
  if (realPath === undefined || !link.isSymbolicLink()) return realPath;
  const target = attempt(path, () => lstatSync(realPath));
  if (target === undefined) return undefined;
  if (!mayPointTo(link.uid, target.uid)) {
    throw new BackupError("site_unreadable", {
      detail: `${path} is a symlink of user ${link.uid} to something of user ${target.uid}`,
      hint: "Make root the link's owner (chown -h root), or let both have the same owner.",
    });
  }
  return realPath;
}

/** Whether someone's word may be taken for where to look. Without root's rights there is nothing to be tricked into. */
export function mayPointTo(pointerUid: number, targetUid: number): boolean {
  return process.getuid?.() !== 0 || pointerUid === 0 || pointerUid === targetUid;
}

/** `path` is `directory` or in it; both without symlinks. */
export function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

export function parentOf(path: string, levels = 1): string {
  return levels === 0 ? path : parentOf(dirname(path), levels - 1);
}

function attempt<T>(path: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw asUnreadable(error, path);
  }
}

function asUnreadable(error: unknown, path: string): BackupError {
  if (error instanceof BackupError) return error;
  return new BackupError("site_unreadable", {
    detail: `${path}: ${codeOf(error) ?? String(error)}`,
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
