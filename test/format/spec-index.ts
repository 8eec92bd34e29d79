// The index section of docs/FORMAT.md for the second reader: lines to header, frames and entries, every rule checked.
import { must, unzstd } from "./spec-rules.ts";

export interface SpecHeader {
  readonly format: string;
  readonly version: number;
  readonly created_at: string;
  readonly tool: string;
  readonly node_id: string;
  readonly site_id: string;
  readonly tar_bytes: number;
  readonly entries_end: number;
  readonly frames: number;
  readonly entries: number;
  readonly database: null | {
    readonly name: string;
    readonly tar_offset: number;
    readonly tar_bytes: number;
    readonly bytes: number;
    readonly sha256: string;
  };
}

export interface SpecFrame {
  readonly offset: number;
  readonly stored: number;
  readonly tarOffset: number;
  readonly tarBytes: number;
  readonly sha256: string;
}

export interface SpecEntry {
  readonly type: "f" | "d" | "l" | "h";
  readonly name: Buffer;
  readonly tarOffset: number;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly flags: number;
  readonly link: Buffer | undefined;
}

export interface SpecIndex {
  readonly header: SpecHeader;
  readonly frames: readonly SpecFrame[];
  readonly entries: readonly SpecEntry[];
}

const MIB = 2 ** 20;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `contents` are the contents of the index frames, whose SHA-256 the caller has checked. */
export function readIndex(contents: readonly Buffer[]): SpecIndex {
  const [first, ...rest] = contents.flatMap(linesOf);
  const header = first as SpecHeader;
  must(header.format === "backupd" && header.version === 1, "header of this format and version");
  must(UUID.test(header.node_id) && UUID.test(header.site_id), "UUIDs in the header");
  must(!Number.isNaN(Date.parse(header.created_at)) && header.created_at.endsWith("Z"), "created_at is UTC");
  must(typeof header.tool === "string", "tool");
  must(header.entries_end + 1024 <= header.tar_bytes, "two zero blocks after entries_end");
  must(rest.length === header.frames + header.entries, "as many lines as the header says");
  const frames = rest.slice(0, header.frames).map(frameOf);
  const entries = rest.slice(header.frames).map(entryOf);

  let stored = 0;
  let tar = 0;
  for (const frame of frames) {
    must(frame.offset === stored && frame.tarOffset === tar, "frames leave no gap");
    stored += frame.stored;
    tar += frame.tarBytes;
  }
  must(tar === header.tar_bytes, "tar lengths add up to tar_bytes");
  checkOrder(header, entries);
  checkDatabase(header, entries);
  return { header, frames, entries };
}

function linesOf(content: Buffer): unknown[] {
  const text = unzstd(content, 4 * MIB);
  must(text.at(-1) === 0x0a, "whole lines in each index frame");
  const lines = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(text)
    .split("\n")
    .slice(0, -1);
  must(
    lines.every((line) => Buffer.byteLength(line) < MIB),
    "lines of at most 1 MiB",
  );
  return lines.map((line): unknown => JSON.parse(line));
}

function frameOf(line: unknown): SpecFrame {
  must(Array.isArray(line) && line.length === 5, "five elements in a frame's line");
  const [offset, stored, tarOffset, tarBytes, sha256] = line as unknown[];
  must(typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256), "SHA-256 in hex");
  return {
    offset: count(offset),
    stored: count(stored),
    tarOffset: count(tarOffset),
    tarBytes: count(tarBytes),
    sha256,
  };
}

function entryOf(line: unknown): SpecEntry {
  must(Array.isArray(line), "an entry's line is an array");
  const [type, name, tarOffset, size, mode, uid, gid, mtime, ctime, ino, flags, link] = line as unknown[];
  must(type === "f" || type === "d" || type === "l" || type === "h", "type of an entry");
  const kind: SpecEntry["type"] = type;
  const isLink = type === "l" || type === "h";
  must(line.length === (isLink ? 12 : 11), "elements in an entry's line");
  const entry = { type: kind, name: bytesOf(name), tarOffset: count(tarOffset), size: count(size) };
  const path = entry.name.toString("latin1").split("/");
  must(
    !path.some((part) => ["", ".", ".."].includes(part)),
    "relative names without empty, . or .. components",
  );
  must(entry.name.length <= 32_768 && !entry.name.includes(0), "length of a name");
  must(entry.tarOffset % 512 === 0, "entries start at blocks");
  must(type === "f" || entry.size === 0, "only files have a size");
  return {
    ...entry,
    mode: count(mode, 0o7777),
    uid: count(uid, 2 ** 32 - 1),
    gid: count(gid, 2 ** 32 - 1),
    mtimeNs: integer(mtime, -(2n ** 63n) + 1n, 2n ** 63n - 1n),
    ctimeNs: integer(ctime, -(2n ** 63n) + 1n, 2n ** 63n - 1n),
    ino: integer(ino, 0n, 2n ** 64n - 1n),
    flags: count(flags, 3),
    link: isLink ? bytesOf(link) : undefined,
  };
}

function checkOrder(header: SpecHeader, entries: readonly SpecEntry[]): void {
  const seen = new Map<string, SpecEntry>();
  /** The directory whose late links may come next. */
  let open: string | undefined;
  let end = 0;
  for (const [at, entry] of entries.entries()) {
    const name = entry.name.toString("latin1");
    must(at > 0 ? entry.tarOffset > end : entry.tarOffset === 0, "entries in tar order, the first at 0");
    end = entry.tarOffset;
    must(!seen.has(name), "no two entries of one name");
    const target = entry.type === "h" ? seen.get(entry.link?.toString("latin1") ?? "") : entry;
    must(
      target !== undefined && (entry.type !== "h" || target.type !== "d"),
      "hard links name earlier entries",
    );
    const isLate = entry.type === "l" && /^\/|(^|\/)\.\.(\/|$)/.test(entry.link?.toString("latin1") ?? "");
    for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1)) {
      const directory = name.slice(0, slash);
      const isOpen = isLate && directory === open && slash === name.lastIndexOf("/");
      must(!seen.has(directory) || isOpen, "a directory comes after everything in it but late links");
    }
    must(
      !isLate || name.slice(0, Math.max(0, name.lastIndexOf("/"))) === open,
      "late links follow their directory",
    );
    if (!isLate) open = entry.type === "d" ? name : undefined;
    seen.set(name, entry);
  }
  must(
    entries.length === 0 ? header.entries_end === 0 : header.entries_end > end,
    "entries_end is after the last",
  );
  must(header.entries_end % 512 === 0, "entries_end is at a block");
}

function checkDatabase({ database, entries_end }: SpecHeader, entries: readonly SpecEntry[]): void {
  if (database === null) return;
  const at = entries.findIndex(({ name }) => name.equals(Buffer.from(database.name)));
  const entry = entries[at];
  must(entry?.type === "f" && entry.size === database.bytes, "the database is a file of that length");
  const end = entries[at + 1]?.tarOffset ?? entries_end;
  must(entry.tarOffset === database.tar_offset, "the database is at its tar_offset");
  must(end - entry.tarOffset === database.tar_bytes, "the database has its tar_bytes");
}

/** A name or a link target: UTF-8 as a string, anything else in base64. */
function bytesOf(value: unknown): Buffer {
  if (typeof value === "string") {
    must(value !== "" && value.isWellFormed(), "a name is not empty and has no lone surrogates");
    return Buffer.from(value);
  }
  must(
    Array.isArray(value) && value.length === 1 && typeof value[0] === "string",
    "a name's bytes in base64",
  );
  const bytes = Buffer.from(value[0], "base64");
  must(bytes.toString("base64") === value[0], "base64 with padding");
  must(!Buffer.from(bytes.toString()).equals(bytes), "base64 only for names that are not UTF-8");
  return bytes;
}

function count(value: unknown, most: number = Number.MAX_SAFE_INTEGER): number {
  must(
    typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most,
    "a number in range",
  );
  return value;
}

function integer(value: unknown, least: bigint, most: bigint): bigint {
  must(typeof value === "string" && /^(0|-?[1-9]\d*)$/.test(value), "a decimal string without leading zeros");
  const number = BigInt(value);
  must(number >= least && number <= most, "64 bits hold the number");
  return number;
}
