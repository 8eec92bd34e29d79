// Encodes one entry of a POSIX pax archive, with every byte of its name and every nanosecond of its time.
import type { ByteString } from "./byte-string.ts";
import { BLOCK_BYTES, writeUstarHeader } from "./ustar-header.ts";

export { BLOCK_BYTES };

export type TarEntryType = "File" | "Directory" | "SymbolicLink" | "Link";

export interface TarEntry {
  readonly type: TarEntryType;
  /** Relative; a directory's without the slash at its end. */
  readonly name: ByteString;
  /** Of the content that follows; 0 for anything but a file. */
  readonly size: number;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** The target of a symlink as it is; of a hard link, the name of the entry that has the content. */
  readonly linkName?: ByteString;
}

/** What a ustar field of 8 and of 12 octal digits can hold. */
const MAX_ID = 0o7777777;
const MAX_OCTAL_SIZE = 0o77777777777;
const MAX_NAME_BYTES = 99;
const BEYOND_ASCII = /[\x80-\xff]/;
const BEYOND_ASCII_EACH = /[\x80-\xff]/g;
const NANOSECONDS = 1_000_000_000n;

/** The bytes before the content: a pax header if the plain one cannot say it all, and the plain one. */
export function encodeTarEntry(entry: TarEntry): Buffer {
  const name = entry.type === "Directory" ? `${entry.name}/` : entry.name;
  const records = paxRecords(entry, name);
  const plainAt = records === "" ? 0 : BLOCK_BYTES + records.length + paddingBytes(records.length);
  // All in one: memory that is asked for, and given back, for each of a million files costs more than what is in it.
  const encoded = Buffer.alloc(plainAt + BLOCK_BYTES);
  if (records !== "") {
    writeUstarHeader(encoded, 0, {
      type: "ExtendedHeader",
      name: ustarName(`PaxHeaders/${name.slice(name.lastIndexOf("/", name.length - 2) + 1)}`),
      linkName: "",
      size: records.length,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeSeconds: 0,
    });
    encoded.write(records, BLOCK_BYTES, "latin1");
  }
  writeUstarHeader(encoded, plainAt, {
    type: entry.type,
    name: ustarName(name),
    linkName: ustarName(entry.linkName ?? ""),
    size: Math.min(entry.size, MAX_OCTAL_SIZE),
    mode: entry.mode & 0o7777,
    uid: Math.min(entry.uid, MAX_ID),
    gid: Math.min(entry.gid, MAX_ID),
    mtimeSeconds: plainSeconds(entry.mtimeNs),
  });
  return encoded;
}

/** Zeros that follow content of `size` bytes. */
export function paddingBytes(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** Two blocks of zeros end an archive. */
export const END_OF_ARCHIVE_BYTES: number = 2 * BLOCK_BYTES;

function paxRecords(entry: TarEntry, name: ByteString): string {
  const link = entry.linkName ?? "";
  return [
    fitsUstar(name) ? "" : paxRecord("path", name),
    fitsUstar(link) ? "" : paxRecord("linkpath", link),
    entry.size > MAX_OCTAL_SIZE ? paxRecord("size", String(entry.size)) : "",
    entry.uid > MAX_ID ? paxRecord("uid", String(entry.uid)) : "",
    entry.gid > MAX_ID ? paxRecord("gid", String(entry.gid)) : "",
    isPlainTime(entry.mtimeNs) ? "" : paxRecord("mtime", decimalSeconds(entry.mtimeNs)),
  ].join("");
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: ByteString): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** Longer names could use ustar's prefix field, but readers disagree about it; pax has one meaning. */
function fitsUstar(name: ByteString): boolean {
  return name.length <= MAX_NAME_BYTES && !BEYOND_ASCII.test(name);
}

function isPlainTime(mtimeNs: bigint): boolean {
  return mtimeNs >= 0n && mtimeNs % NANOSECONDS === 0n && mtimeNs / NANOSECONDS <= BigInt(MAX_OCTAL_SIZE);
}

/** For readers that ignore pax: whole seconds within what the field holds. */
function plainSeconds(mtimeNs: bigint): number {
  const seconds = Number(mtimeNs / NANOSECONDS);
  return Math.max(0, Math.min(seconds, MAX_OCTAL_SIZE));
}

function decimalSeconds(timeNs: bigint): string {
  const [sign, distance] = timeNs < 0n ? ["-", -timeNs] : ["", timeNs];
  const fraction = String(distance % NANOSECONDS)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${sign}${distance / NANOSECONDS}${fraction === "" ? "" : `.${fraction}`}`;
}

/** The name itself where it fits, else something like it for readers that ignore pax. */
function ustarName(name: ByteString): string {
  if (fitsUstar(name)) return name;
  return name.slice(-MAX_NAME_BYTES).replace(/^\/+/, "").replaceAll(BEYOND_ASCII_EACH, "_");
}
