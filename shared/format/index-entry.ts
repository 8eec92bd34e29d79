// One line of the index per tar entry, as a flat JSON array: no repeated keys, cheap to write a million times, and
// still something that `jq` reads. Strict on the way in, because a restore may read an index nobody vouches for.
import { corrupt } from "./corrupt.ts";
import { isSafeEntryName, nameFromJson, nameToJson } from "./entry-name.ts";

/** `f` regular file, `d` directory, `l` symbolic link, `h` hard link to an earlier entry. */
export type EntryType = "f" | "d" | "l" | "h";

/** What one lstat says, and what the next backup compares. Names are byte strings (entry-name.ts). */
export interface EntryStat {
  readonly type: EntryType;
  /** Relative to the archive's root, without a trailing slash. */
  readonly name: string;
  /** Bytes of content that follow the tar header; 0 for everything but `f`. */
  readonly size: number;
  /** The twelve permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  /** Of `l` the target as stored, of `h` the name of the entry it is another name of. */
  readonly link?: string;
}

/** The file's content may differ from what its stat promises, so the next backup must read it again. */
export const FLAG_CHANGED_WHILE_READ = 1;
/** Its ctime or mtime was so close to the reading that a later write may not show (git's "racily clean"). */
export const FLAG_RACY = 2;
export const ALL_FLAGS: number = FLAG_CHANGED_WHILE_READ | FLAG_RACY;

export interface IndexEntry extends EntryStat {
  /** Where the entry's first header block (a pax header if it has one) starts in the tar. */
  readonly tarOffset: number;
  readonly flags: number;
}

const MAX_I64 = 0x7fff_ffff_ffff_ffffn;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** The line without its newline. */
export function encodeEntry(entry: IndexEntry): string {
  const link = entry.link === undefined ? "" : `,${nameToJson(entry.link)}`;
  return (
    `["${entry.type}",${nameToJson(entry.name)},${entry.tarOffset},${entry.size},${entry.mode},${entry.uid},` +
    `${entry.gid},"${entry.mtimeNs}","${entry.ctimeNs}","${entry.ino}",${entry.flags}${link}]`
  );
}

/** `line` is one parsed line. */
export function decodeEntry(line: unknown): IndexEntry {
  if (!Array.isArray(line)) throw corrupt("An entry of the index is not an array");
  const fields: readonly unknown[] = line;
  const type = entryType(fields[0]);
  const linked = type === "l" || type === "h";
  if (fields.length !== (linked ? 12 : 11)) throw corrupt("An entry of the index has the wrong length");
  const name = nameFromJson(fields[1], "An entry's name");
  if (!isSafeEntryName(name)) throw corrupt("An entry's name leads out of the archive");
  const size = integer(fields[3], Number.MAX_SAFE_INTEGER, "size");
  if (type !== "f" && size !== 0) throw corrupt("An entry that is no file has a size");
  const tarOffset = integer(fields[2], Number.MAX_SAFE_INTEGER, "tar offset");
  if (tarOffset % 512 !== 0) throw corrupt("An entry does not start at a tar block");
  const entry: IndexEntry = {
    type,
    name,
    tarOffset,
    size,
    mode: integer(fields[4], 0o7777, "mode"),
    uid: integer(fields[5], 0xffff_ffff, "uid"),
    gid: integer(fields[6], 0xffff_ffff, "gid"),
    mtimeNs: bigInteger(fields[7], -MAX_I64, MAX_I64, "mtime"),
    ctimeNs: bigInteger(fields[8], -MAX_I64, MAX_I64, "ctime"),
    ino: bigInteger(fields[9], 0n, MAX_U64, "inode"),
    flags: integer(fields[10], ALL_FLAGS, "flags"),
  };
  return linked ? { ...entry, link: linkTarget(type, fields[11]) } : entry;
}

function entryType(value: unknown): EntryType {
  if (value === "f" || value === "d" || value === "l" || value === "h") return value;
  throw corrupt("An entry of the index has an unknown type");
}

function linkTarget(type: EntryType, value: unknown): string {
  const target = nameFromJson(value, "A link's target");
  if (type === "h" && !isSafeEntryName(target)) throw corrupt("A hard link leads out of the archive");
  return target;
}

export function integer(value: unknown, max: number, what: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) {
    return value as number;
  }
  throw corrupt(`The index has an impossible ${what}`);
}

const DECIMAL = /^(?:0|-?[1-9][0-9]{0,19})$/;

function bigInteger(value: unknown, min: bigint, max: bigint, what: string): bigint {
  if (typeof value === "string" && DECIMAL.test(value)) {
    const parsed = BigInt(value);
    if (parsed >= min && parsed <= max) return parsed;
  }
  throw corrupt(`The index has an impossible ${what}`);
}
