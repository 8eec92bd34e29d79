// A second reader of our archives, written from docs/FORMAT.md alone: where the page, the writer and the product's own
// reader do not mean the same, this one fails. Its files (spec-*.ts) import nothing of ours but each other.
import { createHash } from "node:crypto";
import { readIndex, type SpecEntry, type SpecFrame, type SpecHeader } from "./spec-index.ts";
import { must, unzstd } from "./spec-rules.ts";
import { readTarHeader } from "./spec-tar.ts";

export interface SpecArchive {
  readonly header: SpecHeader;
  readonly frames: readonly SpecFrame[];
  readonly entries: readonly SpecEntry[];
  /** One line per entry: type, octal mode, owner, size, modification time, name, link. */
  readonly listing: readonly string[];
  /** Reads everything: each frame's SHA-256 and length, each entry's tar header, the tar's end, the dump's SHA-256. */
  verify(): void;
  /** The content of a file, or of the file that a hard link names; decompresses only the frames that hold it. */
  readFile(name: string | Uint8Array): Buffer;
}

interface SeekRow {
  readonly offset: number;
  readonly stored: number;
  readonly decompressed: number;
}

const INDEX_MAGIC = 0x184d2a5b;
const TRAILER_MAGIC = 0x184d2a5c;
const SEEK_TABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const TRAILER_BYTES = 80;
const CHECKSUM_BIT = 0x80;
const RESERVED_BITS = 0x7c;
const UNUSED_BITS = 0x03;
const GIB = 2 ** 30;

/**
 * Opens an object: seek table, trailer and index are read, and must agree; no data frame is touched. `trustedSha256` is
 * the record's `sha256_index`. Throws an Error that names the first rule of docs/FORMAT.md that the object breaks.
 */
export function readArchive(object: Uint8Array, trustedSha256?: string): SpecArchive {
  const bytes = Buffer.from(object.buffer, object.byteOffset, object.byteLength);
  const rows = readSeekTable(bytes);
  const trailerRow = rows.at(-1);
  must(
    trailerRow?.stored === TRAILER_BYTES && trailerRow.decompressed === 0,
    "the last entry is the trailer",
  );
  const dataRows = rows.slice(0, rows.findLastIndex((row) => row.decompressed > 0) + 1);
  const indexRows = rows.slice(dataRows.length, -1);
  must(dataRows.length >= 1 && dataRows.every((row) => between(row.decompressed, 1, GIB)), "data frames");
  must(between(indexRows.length, 1, 4096), "1 to 4,096 index frames");

  const indexOffset = indexRows[0]?.offset ?? 0;
  const index = bytes.subarray(indexOffset, trailerRow.offset);
  const trailer = readTrailer(skippable(bytes, trailerRow, TRAILER_MAGIC));
  must(trailer.indexOffset === indexOffset && trailer.indexBytes === index.length, "trailer names the index");
  must(trailer.sha256 === sha256(index), "sha256_index of the trailer");
  must(trustedSha256 === undefined || trustedSha256 === trailer.sha256, "sha256_index of the record");

  const { header, frames, entries } = readIndex(indexRows.map((row) => skippable(bytes, row, INDEX_MAGIC)));
  must(header.tar_bytes === trailer.tarBytes, "tar_bytes of trailer and index agree");
  must(frames.length === dataRows.length, "seek table and index have the same data frames");
  for (const [at, frame] of frames.entries()) {
    const { offset, stored, decompressed } = dataRows[at] ?? {};
    must(offset === frame.offset && stored === frame.stored, `stored place of frame ${at}`);
    must(decompressed === frame.tarBytes, `decompressed size of frame ${at}`);
  }

  let open: { readonly frame: SpecFrame; readonly tar: Buffer } | undefined;
  const decompress = (frame: SpecFrame): Buffer => {
    if (open?.frame === frame) return open.tar;
    const stored = bytes.subarray(frame.offset, frame.offset + frame.stored);
    must(sha256(stored) === frame.sha256, `SHA-256 of the frame at ${frame.offset}`);
    const tar = unzstd(stored, frame.tarBytes);
    must(tar.length === frame.tarBytes, `tar length of the frame at ${frame.offset}`);
    open = { frame, tar };
    return tar;
  };
  const readTar = (from: number, to: number): Buffer => {
    const pieces = frames
      .filter((frame) => frame.tarOffset < to && frame.tarOffset + frame.tarBytes > from)
      .map((frame) => {
        const start = Math.max(from - frame.tarOffset, 0);
        return decompress(frame).subarray(start, to - frame.tarOffset);
      });
    return Buffer.concat(pieces);
  };
  const endOf = new Map(
    entries.map((entry, at) => [entry, entries[at + 1]?.tarOffset ?? header.entries_end]),
  );
  const contentPlace = (entry: SpecEntry): readonly [from: number, to: number] => {
    const end = endOf.get(entry) ?? 0;
    const from = readTarHeader(entry, end, readTar);
    must(from + Math.ceil(entry.size / 512) * 512 === end, "an entry ends where the next starts");
    return [from, from + entry.size];
  };

  const byName = new Map(entries.map((entry) => [entry.name.toString("latin1"), entry]));
  const readFile = (name: string | Uint8Array): Buffer => {
    const entry = byName.get(Buffer.from(name as string).toString("latin1"));
    if (entry?.type === "h" && entry.link !== undefined) return readFile(entry.link);
    if (entry?.type !== "f") throw new Error(`no file: ${Buffer.from(name as string).toString()}`);
    return readTar(...contentPlace(entry));
  };
  const verify = (): void => {
    must((bytes.readUInt8(bytes.length - 5) & UNUSED_BITS) === 0, "the seek table's descriptor is 0");
    for (const frame of frames) decompress(frame);
    for (const entry of entries) contentPlace(entry);
    must(
      !readTar(header.entries_end, header.tar_bytes).some((byte) => byte !== 0),
      "zero blocks end the tar",
    );
    const { database } = header;
    if (database === null) return;
    const dump = readFile(database.name);
    must(dump.length === database.bytes && sha256(dump) === database.sha256, "SHA-256 of the dump");
  };
  return { header, frames, entries, listing: entries.map(listingLine), verify, readFile };
}

/** The official zstd seekable format 0.1.0, from its last byte backwards. */
function readSeekTable(bytes: Buffer): SeekRow[] {
  must(bytes.length >= 17, "room for a seek table");
  const footer = bytes.subarray(-9);
  must(footer.readUInt32LE(5) === SEEKABLE_MAGIC, "seekable magic");
  const descriptor = footer.readUInt8(4);
  must((descriptor & RESERVED_BITS) === 0, "reserved bits of the seek table's descriptor");
  const entryBytes = (descriptor & CHECKSUM_BIT) === 0 ? 8 : 12;
  const count = footer.readUInt32LE(0);
  const stored = entryBytes * count + 17;
  must(stored <= bytes.length, "the seek table lies within the object");
  const offset = bytes.length - stored;
  const table = skippable(bytes, { offset, stored, decompressed: 0 }, SEEK_TABLE_MAGIC);
  const rows: SeekRow[] = [];
  let end = 0;
  for (let at = 0; at < count; at++) {
    const row = {
      stored: table.readUInt32LE(at * entryBytes),
      decompressed: table.readUInt32LE(at * entryBytes + 4),
    };
    rows.push({ offset: end, ...row });
    end += row.stored;
  }
  must(end === offset, "stored sizes add up to the place of the seek table");
  return rows;
}

function readTrailer(content: Buffer): {
  indexOffset: number;
  indexBytes: number;
  tarBytes: number;
  sha256: string;
} {
  must(content.toString("latin1", 0, 8) === "BACKUPD\n", "trailer signature");
  must(content.readUInt32LE(8) === 1, "format version 1");
  must(content.readUInt32LE(12) === 0, "four zero bytes in the trailer");
  const [indexOffset = 0, indexBytes = 0, tarBytes = 0] = [16, 24, 32].map((at) =>
    Number(content.readBigUInt64LE(at)),
  );
  return { indexOffset, indexBytes, tarBytes, sha256: content.toString("hex", 40, 72) };
}

function skippable(bytes: Buffer, { offset, stored }: SeekRow, magic: number): Buffer {
  must(stored >= 8 && bytes.readUInt32LE(offset) === magic, `skippable magic at ${offset}`);
  must(bytes.readUInt32LE(offset + 4) === stored - 8, `skippable length at ${offset}`);
  return bytes.subarray(offset + 8, offset + stored);
}

function listingLine({ type, mode, uid, gid, size, mtimeNs, name, link }: SpecEntry): string {
  const fields = [type, mode.toString(8).padStart(4, "0"), `${uid}:${gid}`, size, mtimeNs, name.toString()];
  return [...fields, ...(link === undefined ? [] : ["->", link.toString()])].join(" ");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function between(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
