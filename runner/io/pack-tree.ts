// Packs a site's files as tar entries into frames: wp-config.php, then wp-content. What the running site does to its
// files meanwhile becomes a warning; a file that cannot be read fails the backup, since leaving it out would be a lie.
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { BackupError } from "#shared/errors.ts";
import { type ByteString, forDisplay, fromUtf8 } from "../plan/byte-string.ts";
import { excludesFor } from "../plan/excludes.ts";
import { encodeTarEntry, paddingBytes, type TarEntry } from "../plan/tar-entry.ts";
import { createFrameWriter, type FrameSink, type FrameWriter } from "./frame-writer.ts";
import type { PackSummary, PackTotals, PackWarning } from "./pack-protocol.ts";
import { isGone, type TreeEntry, type TreeVisitor, walkTree } from "./walk-tree.ts";

export interface PackPlace {
  readonly configPath: string;
  readonly contentDir: string;
  readonly exclude: readonly string[];
}

const FILE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CONFIG_NAME = "wp-config.php";
const CONTENT_NAME = "wp-content";
const MAX_WARNINGS = 200;

/** What there is to pack in wp-content, from one lstat per name. @throws as `packTree`. */
export function measureTree(place: PackPlace): PackTotals {
  let [files, filesBytes] = [0, 0];
  walkContent(place, {
    vanished: () => undefined,
    visit({ stat }) {
      if (!stat.isFile()) return;
      files += 1;
      filesBytes += Number(stat.size);
    },
  });
  return { files, filesBytes };
}

/** @throws BackupError `site_unreadable` where rights are missing, else `archive_read_failed`; with the path. */
export function packTree(place: PackPlace, sink: FrameSink): PackSummary {
  const pack = createPack(createFrameWriter(sink));
  packConfig(pack, place.configPath);
  walkContent(place, {
    vanished: (path) => pack.warn("file_vanished", archiveName(path), "was removed while the backup ran"),
    visit: (entry) => packEntry(pack, entry),
  });
  pack.writer.end();
  return pack.summary();
}

/** What fails on the way, fails with the name of the entry it was at. */
function walkContent(place: PackPlace, visitor: Omit<TreeVisitor, "excludes">): void {
  const excludes = excludesFor(place.exclude);
  let current: readonly ByteString[] = [];
  try {
    walkTree(place.contentDir, {
      vanished: visitor.vanished,
      excludes(path, isDirectory) {
        current = path;
        return excludes(path, isDirectory);
      },
      visit(entry) {
        current = entry.path;
        visitor.visit(entry);
      },
    });
  } catch (error) {
    throw readFailed(error, [place.contentDir, ...current.map(forDisplay)].join("/"));
  }
}

interface Pack {
  readonly writer: FrameWriter;
  /** Where the content of an inode with several names is. */
  readonly linked: Map<string, ByteString>;
  begin(entry: TarEntry): void;
  warn(code: PackWarning["code"], name: ByteString, what: string): void;
  summary(): PackSummary;
}

function createPack(writer: FrameWriter): Pack {
  const warnings: PackWarning[] = [];
  let [entries, files, filesBytes, warningsTotal] = [0, 0, 0, 0];
  return {
    writer,
    linked: new Map(),
    begin(entry) {
      const header = encodeTarEntry(entry);
      writer.beginEntry(header.length + entry.size + paddingBytes(entry.size));
      writer.write(header);
      entries += 1;
      if (entry.type !== "File" && entry.type !== "Link") return;
      files += 1;
      filesBytes += entry.size;
    },
    warn(code, name, what) {
      warningsTotal += 1;
      if (warnings.length < MAX_WARNINGS)
        warnings.push({ code, message: `${forDisplay(name).slice(0, 1500)} ${what}` });
    },
    summary: () => ({ files, filesBytes, entries, warnings, warningsTotal }),
  };
}

function archiveName(path: readonly ByteString[]): ByteString {
  return [CONTENT_NAME, ...path].join("/");
}

function packEntry(pack: Pack, { path, location, stat }: TreeEntry): void {
  const name = archiveName(path);
  if (stat.isFile()) packFile(pack, name, location);
  else if (stat.isDirectory()) packPlain(pack, tarEntry("Directory", name, stat));
  else if (stat.isSymbolicLink()) packSymlink(pack, name, location, stat);
  else pack.warn("special_file_skipped", name, "is a socket, a pipe or a device, and is not in the backup");
}

function packPlain(pack: Pack, entry: TarEntry): void {
  pack.begin(entry);
  pack.writer.endEntry();
}

function packSymlink(pack: Pack, name: ByteString, location: Buffer | string, stat: BigIntStats): void {
  try {
    const linkName = readlinkSync(location, { encoding: "latin1" });
    packPlain(pack, { ...tarEntry("SymbolicLink", name, stat), linkName });
  } catch (error) {
    if (!isGone(error)) throw error;
    pack.warn("file_vanished", name, "was removed while the backup ran");
  }
}

function packConfig(pack: Pack, configPath: string): void {
  try {
    const fd = openSync(configPath, FILE_FLAGS);
    try {
      if (!fstatSync(fd).isFile()) throw new Error("it is not a regular file");
      packOpenFile(pack, fromUtf8(CONFIG_NAME), fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw readFailed(error, configPath);
  }
}

function packFile(pack: Pack, name: ByteString, location: Buffer | string): void {
  let fd: number;
  try {
    fd = openSync(location, FILE_FLAGS);
  } catch (error) {
    if (!isGone(error)) throw error;
    pack.warn("file_vanished", name, "was removed while the backup ran");
    return;
  }
  try {
    packOpenFile(pack, name, fd);
  } finally {
    closeSync(fd);
  }
}

/** What was opened is what counts: the name may stand for another file by now. */
function packOpenFile(pack: Pack, name: ByteString, fd: number): void {
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) {
    pack.warn("file_vanished", name, "was replaced while the backup ran");
    return;
  }
  if (stat.nlink > 1n) {
    const inode = `${stat.dev}:${stat.ino}`;
    const linkName = pack.linked.get(inode);
    if (linkName !== undefined) {
      packPlain(pack, { ...tarEntry("Link", name, stat), linkName });
      return;
    }
    pack.linked.set(inode, name);
  }
  const size = Number(stat.size);
  pack.begin({ ...tarEntry("File", name, stat), size });
  const read = copyContent(pack.writer, fd, size);
  pack.writer.zeros(size - read + paddingBytes(size));
  pack.writer.endEntry();
  const after = fstatSync(fd, { bigint: true });
  if (read < size) {
    pack.warn("file_changed", name, `became shorter while it was read; ${size - read} bytes of it are zeros`);
  } else if (after.size !== stat.size || after.mtimeNs !== stat.mtimeNs) {
    pack.warn("file_changed", name, `changed while it was read; its first ${size} bytes are in the backup`);
  }
}

/** Reads straight into the frames; less than `size` only if the file has become shorter. */
function copyContent(writer: FrameWriter, fd: number, size: number): number {
  let done = 0;
  while (done < size) {
    const space = writer.space(size - done);
    const bytes = readSync(fd, space, 0, space.length, done);
    if (bytes === 0) break;
    writer.advance(bytes);
    done += bytes;
  }
  return done;
}

function tarEntry(type: TarEntry["type"], name: ByteString, stat: BigIntStats): TarEntry {
  return {
    type,
    name,
    size: 0,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: stat.mtimeNs,
  };
}

function readFailed(error: unknown, path: string): BackupError {
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
