// An object with a real index, trailer and seek table behind data that nobody reads: what browsing needs of an archive.
import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { encodeIndexFrames } from "#shared/format/index-blocks.ts";
import type { IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { encodeIndexLines } from "#shared/format/index-lines.ts";
import { encodeSeekTable } from "#shared/format/seek-table.ts";
import { encodeTrailer } from "#shared/format/trailer.ts";

const ID = "11111111-1111-4111-8111-111111111111";

export interface ArchiveOwner {
  readonly node_id?: string;
  readonly site_id?: string;
}

export interface IndexedArchive {
  readonly object: Buffer;
  readonly sha256Index: string;
}

/** Names are byte strings; sizes in bytes. Entries of type `f` unless the name ends with a slash. */
export function filesOf(sizes: Readonly<Record<string, number>>): IndexEntry[] {
  let tarOffset = 0;
  return Object.entries(sizes).map(([name, size]): IndexEntry => {
    const type = name.endsWith("/") ? "d" : "f";
    const times = { mtimeNs: 1_700_000_000_000_000_000n, ctimeNs: 0n };
    const entry = {
      type,
      name: name.replace(/\/$/, ""),
      size,
      mode: 0o644,
      uid: 0,
      gid: 0,
      ...times,
    } as const;
    const placed = { ...entry, ino: 1n, flags: 0, tarOffset };
    tarOffset += 512 + Math.ceil(size / 512) * 512;
    return placed;
  });
}

function placeOf({ name, tarOffset, size }: IndexEntry): NonNullable<IndexHeader["database"]> {
  const tarBytes = 512 + Math.ceil(size / 512) * 512;
  return { name, tar_offset: tarOffset, tar_bytes: tarBytes, bytes: size, sha256: "cd".repeat(32) };
}

/** `dataBytes` is the stored size of each data frame. */
export async function indexedArchive(
  entries: readonly IndexEntry[],
  dataBytes = 100,
  owner: ArchiveOwner = {},
): Promise<IndexedArchive> {
  const tarBytes = endOf(entries) + 1024;
  const frames: FrameRecord[] = [];
  for (let at = 0; at < tarBytes; at += 2 ** 30) {
    const bytes = Math.min(2 ** 30, tarBytes - at);
    const offset = frames.length * dataBytes;
    const place = { offset, compressedBytes: dataBytes, tarOffset: at, tarBytes: bytes };
    frames.push({ ...place, sha256: "ab".repeat(32) });
  }
  return withIndex(entries, frames, Buffer.alloc(frames.length * dataBytes, "x"), owner);
}

/** Its frames hold the contents, in the order of `entries`; those without one are empty. */
export async function readableArchive(
  entries: readonly IndexEntry[],
  contents: Readonly<Record<string, Uint8Array>>,
  frameBytes: number,
): Promise<IndexedArchive> {
  const tar = Buffer.alloc(endOf(entries) + 1024);
  for (const { name, tarOffset } of entries) tar.set(contents[name] ?? [], tarOffset + 512);
  const frames: FrameRecord[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (let at = 0; at < tar.length; at += frameBytes) {
    const piece = tar.subarray(at, at + frameBytes);
    const stored = zstdCompressSync(piece);
    const place = { offset, compressedBytes: stored.length, tarOffset: at, tarBytes: piece.length };
    frames.push({ ...place, sha256: createHash("sha256").update(stored).digest("hex") });
    data.push(stored);
    offset += stored.length;
  }
  return withIndex(entries, frames, Buffer.concat(data), {});
}

function endOf(entries: readonly IndexEntry[]): number {
  const last = entries.at(-1);
  return last === undefined ? 0 : last.tarOffset + 512 + Math.ceil(last.size / 512) * 512;
}

async function withIndex(
  entries: readonly IndexEntry[],
  frames: readonly FrameRecord[],
  data: Buffer,
  { node_id = ID, site_id = ID }: ArchiveOwner,
): Promise<IndexedArchive> {
  const dump = entries.find(({ name }) => name === "database.sql");
  const tarBytes = endOf(entries) + 1024;
  const header = {
    format: "backupd" as const,
    version: 1 as const,
    created_at: "2030-01-01T00:00:00.000Z",
    tool: "test",
    node_id,
    site_id,
    tar_bytes: tarBytes,
    entries_end: endOf(entries),
    frames: frames.length,
    entries: entries.length,
    database: dump === undefined ? null : placeOf(dump),
  };
  const compress = async (bytes: Uint8Array): Promise<Uint8Array> => zstdCompressSync(bytes);
  const stored: Uint8Array[] = [];
  for await (const frame of encodeIndexFrames(encodeIndexLines(header, frames, entries), compress)) {
    stored.push(frame);
  }
  const index = Buffer.concat(stored);
  const sha256Index = createHash("sha256").update(index).digest("hex");
  const trailer = encodeTrailer({
    indexOffset: data.length,
    indexBytes: index.length,
    tarBytes,
    indexSha256: sha256Index,
  });
  const seekTable = encodeSeekTable([
    ...frames.map(({ compressedBytes, tarBytes: bytes }) => ({ compressedBytes, decompressedBytes: bytes })),
    ...stored.map(({ length }) => ({ compressedBytes: length, decompressedBytes: 0 })),
    { compressedBytes: trailer.length, decompressedBytes: 0 },
  ]);
  return { object: Buffer.concat([data, index, trailer, seekTable]), sha256Index };
}
