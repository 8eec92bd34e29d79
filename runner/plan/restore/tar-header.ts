// Decodes the header blocks of tar entries: ours (pax) and those of other tools (ustar, GNU). Whatever is not what it
// should be is refused; a restore runs as root on bytes that somebody else may have made.
import { corrupt } from "#shared/format/corrupt.ts";
import type { EntryType } from "#shared/format/index-entry.ts";
import type { ByteString } from "../byte-string.ts";

/** `x` is what a restore never makes: a device, a FIFO, or something of a tool's own. */
export type TarItemType = EntryType | "x";

export interface TarItem {
  readonly type: TarItemType;
  /** As in the header, without slashes at the end. */
  readonly name: ByteString;
  /** Of the content that follows. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly link?: ByteString;
}

/** What a pax header, or GNU's long names, say about the next entry. */
export interface Extension {
  readonly path?: ByteString;
  readonly linkpath?: ByteString;
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeNs?: bigint;
}

export interface RawHeader {
  readonly typeflag: string;
  readonly size: number;
  readonly block: Uint8Array;
}

export const TAR_BLOCK_BYTES = 512;
const MAX_I64 = 0x7fff_ffff_ffff_ffffn;
const NANOSECONDS = 1_000_000_000n;

/** The type and the size, which say what follows. @throws BackupError `archive_corrupt`. */
export function decodeRawHeader(block: Uint8Array): RawHeader {
  if (checksumOf(block) !== number(block, 148, 8, "checksum"))
    throw corrupt("A tar header's checksum is wrong");
  return { typeflag: latin1(block, 156, 157), size: number(block, 124, 12, "size"), block };
}

/** The entry as the header and what came before it say. */
export function decodeTarItem(
  { block, typeflag, size: plainSize }: RawHeader,
  extension: Extension,
): TarItem {
  const path = extension.path ?? plainName(block);
  const type = typeOf(typeflag, path);
  const size = extension.size ?? plainSize;
  // Sizes on links and directories mean different things to different tools.
  if (type !== "f" && type !== "x" && size !== 0 && typeflag !== "1")
    throw corrupt("A tar entry without content has a size");
  const item = {
    type,
    name: path.replace(/\/+$/, ""),
    size: type === "f" || type === "x" ? size : 0,
    mode: number(block, 100, 8, "mode") & 0o7777,
    uid: extension.uid ?? number(block, 108, 8, "uid"),
    gid: extension.gid ?? number(block, 116, 8, "gid"),
    mtimeNs: extension.mtimeNs ?? BigInt(signed(block, 136, 12)) * NANOSECONDS,
  };
  if (type !== "l" && type !== "h") return item;
  const link = extension.linkpath ?? text(block, 157, 100);
  if (link === "" || link.includes("\0")) throw corrupt("A link in the tar has no target");
  return { ...item, link };
}

/** The records of a pax header. */
export function decodePax(bytes: Uint8Array): Extension {
  const body = latin1(bytes, 0, bytes.length);
  const found: { -readonly [key in keyof Extension]: Extension[key] } = {};
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(" ", at);
    const length = /^[1-9][0-9]{0,9}$/.test(body.slice(at, Math.max(at, space)))
      ? Number(body.slice(at, space))
      : 0;
    const end = at + length;
    const equals = body.indexOf("=", space);
    if (length === 0 || end > body.length || equals === -1 || equals >= end || body[end - 1] !== "\n") {
      throw corrupt("A pax header is not made of records");
    }
    setRecord(found, body.slice(space + 1, equals), body.slice(equals + 1, end - 1));
    at = end;
  }
  return found;
}

function setRecord(
  found: { -readonly [key in keyof Extension]: Extension[key] },
  key: string,
  value: ByteString,
): void {
  if (key === "path" || key === "linkpath") {
    if (value === "" || value.includes("\0")) throw corrupt("A pax header has an impossible name");
    found[key] = value;
  } else if (key === "size" || key === "uid" || key === "gid") {
    const most = key === "size" ? Number.MAX_SAFE_INTEGER : 0xffff_ffff;
    if (!/^[0-9]{1,16}$/.test(value) || Number(value) > most)
      throw corrupt(`A pax header has an impossible ${key}`);
    found[key] = Number(value);
  } else if (key === "mtime") found.mtimeNs = nanoseconds(value);
  else if (key.startsWith("GNU.sparse")) {
    throw corrupt("The tar has a sparse file, which only GNU tar reads");
  }
}

function nanoseconds(value: string): bigint {
  const [, sign = "", seconds = "", fraction = ""] = /^(-?)([0-9]{1,11})(?:\.([0-9]*))?$/.exec(value) ?? [];
  if (seconds === "") throw corrupt("A pax header has an impossible time");
  const distance = BigInt(seconds) * NANOSECONDS + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  if (distance > MAX_I64) throw corrupt("A pax header has an impossible time");
  return sign === "-" ? -distance : distance;
}

function typeOf(typeflag: string, path: ByteString): TarItemType {
  if (typeflag === "5") return "d";
  if (typeflag === "2") return "l";
  if (typeflag === "1") return "h";
  // Before POSIX a slash at the end made a directory.
  if (typeflag === "0" || typeflag === "\0" || typeflag === "7") return path.endsWith("/") ? "d" : "f";
  if (typeflag === "3" || typeflag === "4" || typeflag === "6") return "x";
  throw corrupt(`The tar has an entry of the unknown type ${JSON.stringify(typeflag)}`);
}

function plainName(block: Uint8Array): ByteString {
  const name = text(block, 0, 100);
  // GNU's headers have other things where POSIX has the prefix.
  const prefix = latin1(block, 257, 263) === "ustar\0" ? text(block, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function checksumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < TAR_BLOCK_BYTES; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum;
}

function number(block: Uint8Array, at: number, bytes: number, what: string): number {
  const value = signed(block, at, bytes);
  if (value < 0) throw corrupt(`A tar header has a negative ${what}`);
  return value;
}

/** Octal digits, or GNU's base 256 for what they cannot hold. */
function signed(block: Uint8Array, at: number, bytes: number): number {
  const first = block[at] ?? 0;
  if (first === 0x80 || first === 0xff) {
    let value = first === 0xff ? -1n : 0n;
    for (let index = at + 1; index < at + bytes; index += 1) value = value * 256n + BigInt(block[index] ?? 0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < -BigInt(Number.MAX_SAFE_INTEGER)) {
      throw corrupt("A tar header has an impossible number");
    }
    return Number(value);
  }
  const digits = text(block, at, bytes).trim();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw corrupt("A tar header has a number that is none");
  return Number.parseInt(digits, 8);
}

function text(block: Uint8Array, at: number, bytes: number): ByteString {
  const field = latin1(block, at, at + bytes);
  const end = field.indexOf("\0");
  return end === -1 ? field : field.slice(0, end);
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", from, to);
}
