// Opens an archive: its index is found from its tail, held against the hash on record, and checked line by line, before
// anything else of it is believed.
import { hash } from "node:crypto";
import { BackupError } from "#shared/errors.ts";
import { corrupt } from "#shared/format/corrupt.ts";
import { decodeIndexFrames } from "#shared/format/index-blocks.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { decodeSeekTable } from "#shared/format/seek-table.ts";
import {
  type ArchiveLayout,
  type ByteRange,
  checkTrailer,
  locateArchiveParts,
  missingRange,
  TAIL_BYTES,
} from "#shared/format/tail.ts";
import { decodeTrailer } from "#shared/format/trailer.ts";
import { createEntryTable, type EntryTable } from "../../plan/copy/entry-table.ts";
import { decompressIndexFrame } from "../decode-index.ts";
import { type ObjectReader, readWhole } from "./object-reader.ts";

/** An archive of ours. */
export interface IndexedArchive {
  readonly kind: "indexed";
  readonly reader: ObjectReader;
  readonly header: IndexHeader;
  readonly frames: readonly FrameRecord[];
  /** In tar order. */
  readonly entries: EntryTable;
  readonly sha256Index: string;
  readonly indexBytes: number;
}

/** Another tool's `.tar.zst`, or one of ours that lost its end: nothing says what is in it but the tar itself. */
export interface PlainArchive {
  readonly kind: "plain";
  readonly reader: ObjectReader;
}

export type OpenArchive = IndexedArchive | PlainArchive;

export interface OpenOptions {
  /** Of the Master's record. Without it the archive is as trustworthy as whoever had it. */
  readonly sha256Index?: string | undefined;
  readonly signal: AbortSignal;
}

/** Ours have 4 MiB; what a reader has to hold in memory is its own decision. */
export const MAX_FRAME_BYTES = 67_108_864;
/** zstd's own bound for what does not compress is far below. */
const FRAME_OVERHEAD_BYTES = 65_536;

/** @throws BackupError `archive_corrupt`, `archive_missing`, `storage_*`; the signal's reason. */
export async function openArchive(reader: ObjectReader, options: OpenOptions): Promise<OpenArchive> {
  const tailBytes = Math.min(reader.sizeBytes, TAIL_BYTES);
  const tail = await readWhole(reader, reader.sizeBytes - tailBytes, tailBytes, options.signal);
  const layout = layoutOf(tail, reader.sizeBytes, options);
  if (layout === undefined) return { kind: "plain", reader };
  const missing = missingRange(layout, tail.length);
  const before =
    missing === undefined ? [] : [await readWhole(reader, missing.offset, missing.bytes, options.signal)];
  const end = Buffer.concat([...before, tail]);
  const part = ({ offset, bytes }: ByteRange): Buffer => {
    const at = end.length - (reader.sizeBytes - offset);
    return end.subarray(at, at + bytes);
  };
  const trailer = decodeTrailer(part(layout.trailer));
  checkTrailer(trailer, layout);
  const stored = part(layout.index);
  const sha256Index = hash("sha256", stored, "hex");
  if (sha256Index !== trailer.indexSha256)
    throw corrupt("The index is damaged: its hash is not the trailer's");
  if (options.sha256Index !== undefined && options.sha256Index !== sha256Index) {
    throw corrupt("The archive's index is not the one on record: the archive was replaced or changed");
  }
  const index = await decodeIndex(stored);
  if (index.header.tar_bytes !== trailer.tarBytes)
    throw corrupt("The trailer and the index disagree about the tar");
  checkFrames(index.frames, layout, part(layout.seekTable));
  return { kind: "indexed", reader, ...index, sha256Index, indexBytes: layout.index.bytes };
}

/** Undefined if this is no archive of ours, and need not be one. */
function layoutOf(tail: Buffer, sizeBytes: number, options: OpenOptions): ArchiveLayout | undefined {
  try {
    return locateArchiveParts(tail, sizeBytes);
  } catch (error) {
    // Damage at the end of an archive of ours must not pass for an archive of another tool, which has no hashes.
    const isOurs = options.sha256Index !== undefined || tail.includes("BACKUPD\n");
    if (isOurs || !(error instanceof BackupError)) throw error;
    return undefined;
  }
}

async function decodeIndex(
  stored: Uint8Array,
): Promise<Pick<IndexedArchive, "header" | "frames" | "entries">> {
  const frames: FrameRecord[] = [];
  let entries = createEntryTable();
  let header: IndexHeader | undefined;
  const decoder = createIndexDecoder({
    header: (line) => {
      header = line;
      entries = createEntryTable(line.entries);
    },
    frame: (frame) => {
      frames.push(frame);
    },
    entry: (entry) => {
      const id = entries.count();
      if (entries.add(entry, entry.tarOffset, entry.flags) !== id)
        throw corrupt("Two entries of the index have the same name");
    },
  });
  for await (const block of decodeIndexFrames([stored], decompressIndexFrame)) decoder.write(block);
  decoder.end();
  if (header === undefined) throw corrupt("The index is empty");
  return { header, frames, entries };
}

/** Index and seek table say the same of every frame, and none is larger than memory allows. */
function checkFrames(frames: readonly FrameRecord[], layout: ArchiveLayout, table: Uint8Array): void {
  const rows = decodeSeekTable(table);
  if (frames.length !== layout.dataFrames)
    throw corrupt("The index and the seek table count different frames");
  for (const [at, frame] of frames.entries()) {
    const row = rows[at];
    if (row?.compressedBytes !== frame.compressedBytes || row.decompressedBytes !== frame.tarBytes) {
      throw corrupt(`The index and the seek table disagree about frame ${at}`);
    }
    if (
      frame.tarBytes > MAX_FRAME_BYTES ||
      frame.compressedBytes > frame.tarBytes * 1.01 + FRAME_OVERHEAD_BYTES
    ) {
      throw corrupt(`Frame ${at} is larger than this program reads`);
    }
  }
  const last = frames.at(-1);
  if ((last?.offset ?? 0) + (last?.compressedBytes ?? 0) !== layout.index.offset) {
    throw corrupt("There is something between the frames and the index");
  }
}
