// Packs the entries that the copy plan wants fresh as tar into frames, each group beginning a new frame. What the
// running site does to its files meanwhile becomes a warning; a file that cannot be read fails the backup, since
// leaving it out would be a lie.
import { type BigIntStats, closeSync, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import {
  type EntryStat,
  type EntryType,
  FLAG_CHANGED_WHILE_READ,
  type IndexEntry,
} from "#shared/format/index-entry.ts";
import { type ByteString, forDisplay, type SystemPath } from "../plan/byte-string.ts";
import { racyFlag } from "../plan/copy/racy.ts";
import type { FreshEntries } from "../plan/copy/walk-order.ts";
import { looksGarbled } from "../plan/looks-garbled.ts";
import { encodeTarEntry, paddingBytes, type TarEntryType } from "../plan/tar-entry.ts";
import { createFrameWriter, type FrameSink, type FrameWriter } from "./frame-writer.ts";
import { openTreeCursor } from "./open-directory.ts";
import type { PackPlace } from "./pack-protocol.ts";
import { type PackWarnings, VANISHED } from "./pack-warnings.ts";
import { CONFIG_NAME, entryStat, FILE_FLAGS, readFailed } from "./survey-site.ts";
import { isGone } from "./walk-tree.ts";

export interface PackEntriesInput {
  readonly place: PackPlace;
  readonly fresh: FreshEntries;
  /** Where in the archive's tar the first entry will be. */
  readonly tarOffset: number;
  readonly sink: FrameSink;
  readonly warnings: PackWarnings;
  readonly racyWindowNs: bigint;
  /** Each entry as it was packed, for the index: a file may have changed since the plan was made. */
  readonly onEntry: (entry: IndexEntry, tarEnd: number) => void;
}

const TAR_TYPES: Readonly<Record<EntryType, TarEntryType>> = {
  f: "File",
  d: "Directory",
  l: "SymbolicLink",
  h: "Link",
};

export interface PackedEntries {
  readonly bytesRead: number;
  /** Files that look encrypted. */
  readonly garbled: number;
}

/** @throws BackupError `site_unreadable` where rights are missing, else `archive_read_failed`. */
export function packEntries(input: PackEntriesInput): PackedEntries {
  const { fresh, place, sink } = input;
  using cursor = openTreeCursor(place.contentDir);
  const locate = (name: ByteString): SystemPath =>
    name === CONFIG_NAME ? place.configPath : cursor.locate(name.split("/").slice(1));
  const writer = createFrameWriter(sink);
  const pack: Pack = { ...input, writer, locate, movedTo: new Map(), bytesRead: 0, garbled: 0 };
  for (const entry of fresh.files) {
    if (entry.type === "f") packFile(pack, entry);
    else packHeader(pack, entry);
  }
  pack.writer.endFrame();
  for (const entry of fresh.hardLinks) packHardLink(pack, entry);
  pack.writer.endFrame();
  for (const entry of fresh.directories) packHeader(pack, entry);
  pack.writer.endFrame();
  return { bytesRead: pack.bytesRead, garbled: pack.garbled };
}

interface Pack extends PackEntriesInput {
  readonly writer: FrameWriter;
  readonly locate: (name: ByteString) => SystemPath;
  /** Of files that were no longer what the plan took them for: the name under which their content is, if any. */
  readonly movedTo: Map<ByteString, ByteString | undefined>;
  bytesRead: number;
  garbled: number;
}

/** An entry's headers; the tar offset of its beginning. */
function begin(pack: Pack, entry: EntryStat): number {
  const tarOffset = tarEnd(pack);
  const header = encodeTarEntry({
    type: TAR_TYPES[entry.type],
    name: entry.name,
    size: entry.size,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtimeNs: entry.mtimeNs,
    ...(entry.link === undefined ? {} : { linkName: entry.link }),
  });
  pack.writer.beginEntry(header.length + entry.size + paddingBytes(entry.size));
  pack.writer.write(header);
  return tarOffset;
}

function tarEnd(pack: Pack): number {
  return pack.tarOffset + pack.writer.position();
}

function packHeader(pack: Pack, entry: EntryStat): void {
  const tarOffset = begin(pack, entry);
  pack.writer.endEntry();
  pack.onEntry({ ...entry, tarOffset, flags: 0 }, tarEnd(pack));
}

/** As a file of its own where it, or what it is another name of, has been replaced since the plan was made. */
function packHardLink(pack: Pack, entry: EntryStat): void {
  const first = entry.link ?? "";
  if (isStill(pack, entry)) {
    if (!pack.movedTo.has(first)) {
      packHeader(pack, entry);
      return;
    }
    const link = pack.movedTo.get(first);
    if (link !== undefined) {
      packHeader(pack, { ...entry, link });
      return;
    }
  }
  const packed = packFile(pack, entry);
  if (packed?.ino === entry.ino && pack.movedTo.has(first)) pack.movedTo.set(first, entry.name);
}

function isStill(pack: Pack, entry: EntryStat): boolean {
  try {
    const stat = lstatSync(pack.locate(entry.name), { bigint: true });
    return stat.ino === entry.ino && stat.isFile();
  } catch (error) {
    if (isGone(error)) return false;
    throw readFailed(error, forDisplay(entry.name));
  }
}

/** What was packed, if anything: what was opened is what counts, the name may stand for another file by now. */
function packFile(pack: Pack, planned: EntryStat): BigIntStats | undefined {
  let stat: BigIntStats | undefined;
  try {
    const fd = openSync(pack.locate(planned.name), FILE_FLAGS);
    try {
      stat = packOpenFile(pack, planned.name, fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!isGone(error) || planned.name === CONFIG_NAME)
      throw readFailed(error, shownPath(pack, planned.name));
    pack.warnings.warn("file_vanished", planned.name, VANISHED);
  }
  if (stat?.ino !== planned.ino) pack.movedTo.set(planned.name, undefined);
  return stat;
}

function packOpenFile(pack: Pack, name: ByteString, fd: number): BigIntStats | undefined {
  const startedNs = BigInt(Date.now()) * 1_000_000n;
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) {
    pack.warnings.warn("file_vanished", name, "was replaced while the backup ran");
    return undefined;
  }
  const entry = entryStat("f", name, stat);
  const { size } = entry;
  const tarOffset = begin(pack, entry);
  const read = copyContent(pack.writer, fd, size, (head) => {
    if (looksGarbled(head)) pack.garbled += 1;
  });
  pack.bytesRead += read;
  pack.writer.zeros(size - read + paddingBytes(size));
  pack.writer.endEntry();
  const after = fstatSync(fd, { bigint: true });
  if (read < size) {
    const what = `became shorter while it was read; ${size - read} bytes of it are zeros`;
    pack.warnings.warn("file_changed", name, what);
  } else if (after.size !== stat.size || after.mtimeNs !== stat.mtimeNs) {
    const what = `changed while it was read; its first ${size} bytes are in the backup`;
    pack.warnings.warn("file_changed", name, what);
  }
  const changed = read < size || after.ctimeNs !== stat.ctimeNs || after.mtimeNs !== stat.mtimeNs;
  const flags = racyFlag(entry, startedNs, pack.racyWindowNs) | (changed ? FLAG_CHANGED_WHILE_READ : 0);
  pack.onEntry({ ...entry, tarOffset, flags }, tarEnd(pack));
  return stat;
}

/** Reads straight into the frames; less than `size` only if the file has become shorter. */
function copyContent(
  writer: FrameWriter,
  fd: number,
  size: number,
  seeHead: (head: Uint8Array) => void,
): number {
  let done = 0;
  while (done < size) {
    const space = writer.space(size - done);
    const bytes = readSync(fd, space, 0, space.length, done);
    if (bytes === 0) break;
    // Before it is handed on: the memory is another thread's then.
    if (done === 0) seeHead(space.subarray(0, bytes));
    writer.advance(bytes);
    done += bytes;
  }
  return done;
}

function shownPath({ place }: Pack, name: ByteString): string {
  return name === CONFIG_NAME
    ? place.configPath
    : [place.contentDir, ...name.split("/").slice(1).map(forDisplay)].join("/");
}
