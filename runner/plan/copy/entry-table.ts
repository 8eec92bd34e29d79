// A million lstats in about 170 bytes each: one typed array per field and one arena for all names, because as many
// small objects would cost the runner 600 bytes per file before it has done anything.
import type { EntryStat, EntryType } from "#shared/format/index-entry.ts";
import { createNameIndex } from "./name-index.ts";

const TYPES = ["f", "d", "l", "h"] as const satisfies readonly EntryType[];
const MAX_ARENA_BYTES = 0xffff_ffff;
/** Whoever expects more, or lies, gets the rest as it comes. */
const MAX_EXPECTED = 1_048_576;
/** Of WordPress and what is installed in it; the path of an upload is about as long. */
const USUAL_NAME_BYTES = 64;

export interface EntryTable {
  readonly count: () => number;
  /**
   * Ids are 0, 1, 2 … in order of adding. The id of the first entry of that name: the new one's own, or that of an earlier one
   * with which it shares the name.
   */
  readonly add: (entry: EntryStat, tarOffset: number, flags: number) => number;
  /** Id by name, or -1. Of entries with the same name it is the first. */
  readonly find: (name: string) => number;
  /** Whether every field of `entry` is the one stored: the whole test for "unchanged". */
  readonly matches: (id: number, entry: EntryStat) => boolean;
  readonly stat: (id: number) => EntryStat;
  readonly name: (id: number) => string;
  readonly type: (id: number) => EntryType;
  readonly size: (id: number) => number;
  readonly tarOffset: (id: number) => number;
  readonly flags: (id: number) => number;
  /** Inside a directory that the archive has an entry for, or such a directory itself. */
  readonly isNested: (id: number) => boolean;
  readonly addFlags: (id: number, flags: number) => void;
}

/** `expected`: how many entries, if that is known. Tables that grow are copied a dozen times. */
export function createEntryTable(expected = 0): EntryTable {
  const capacity = Math.min(Math.max(256, expected), MAX_EXPECTED);
  let count = 0;
  let columns = createColumns(capacity);
  let arena = Buffer.alloc(capacity * USUAL_NAME_BYTES);
  let arenaBytes = 0;

  const nameStart = (id: number): number => columns.nameAt[id] ?? 0;
  const linkStart = (id: number): number => columns.linkAt[id] ?? 0;
  const linkEnd = (id: number): number => (id + 1 < count ? nameStart(id + 1) : arenaBytes);
  const text = (from: number, to: number): string => arena.toString("latin1", from, to);
  const textIs = (from: number, to: number, value: string): boolean => {
    if (to - from !== value.length) return false;
    for (let index = value.length - 1; index >= 0; index -= 1) {
      if (arena[from + index] !== value.charCodeAt(index)) return false;
    }
    return true;
  };
  const append = (value: string): void => {
    const needed = arenaBytes + value.length;
    if (needed > MAX_ARENA_BYTES) throw new RangeError("the names of the site need more than 4 GiB");
    if (needed > arena.length) {
      const larger = Buffer.alloc(Math.min(MAX_ARENA_BYTES, Math.max(needed, Math.ceil(arena.length * 1.5))));
      arena.copy(larger, 0, 0, arenaBytes);
      arena = larger;
    }
    arena.write(value, arenaBytes, "latin1");
    arenaBytes = needed;
  };
  const name = (id: number): string => text(nameStart(id), linkStart(id));
  const names = createNameIndex((id, value) => textIs(nameStart(id), linkStart(id), value), capacity);
  const type = (id: number): EntryType => TYPES[columns.type[id] ?? 0] ?? "f";

  return {
    count: () => count,
    add: (entry, tarOffset, flags) => {
      if (count === columns.type.length) columns = grownColumns(columns, Math.ceil(count * 1.5));
      const id = count;
      columns.nameAt[id] = arenaBytes;
      append(entry.name);
      columns.linkAt[id] = arenaBytes;
      if (entry.link !== undefined) append(entry.link);
      columns.type[id] = TYPES.indexOf(entry.type);
      columns.flags[id] = flags;
      columns.nested[id] = isNestedEntry(entry) ? 1 : 0;
      columns.mode[id] = entry.mode;
      columns.uid[id] = entry.uid;
      columns.gid[id] = entry.gid;
      columns.size[id] = entry.size;
      columns.tarOffset[id] = tarOffset;
      columns.mtimeNs[id] = entry.mtimeNs;
      columns.ctimeNs[id] = entry.ctimeNs;
      columns.ino[id] = entry.ino;
      count += 1;
      return names.insert(entry.name, id);
    },
    find: names.find,
    matches: (id, entry) =>
      columns.ctimeNs[id] === entry.ctimeNs &&
      columns.mtimeNs[id] === entry.mtimeNs &&
      columns.ino[id] === entry.ino &&
      columns.size[id] === entry.size &&
      columns.mode[id] === entry.mode &&
      columns.uid[id] === entry.uid &&
      columns.gid[id] === entry.gid &&
      type(id) === entry.type &&
      textIs(linkStart(id), linkEnd(id), entry.link ?? ""),
    stat: (id) => {
      const kind = type(id);
      const stat = {
        type: kind,
        name: name(id),
        size: columns.size[id] ?? 0,
        mode: columns.mode[id] ?? 0,
        uid: columns.uid[id] ?? 0,
        gid: columns.gid[id] ?? 0,
        mtimeNs: columns.mtimeNs[id] ?? 0n,
        ctimeNs: columns.ctimeNs[id] ?? 0n,
        ino: columns.ino[id] ?? 0n,
      };
      return kind === "l" || kind === "h" ? { ...stat, link: text(linkStart(id), linkEnd(id)) } : stat;
    },
    name,
    type,
    size: (id) => columns.size[id] ?? 0,
    tarOffset: (id) => columns.tarOffset[id] ?? 0,
    flags: (id) => columns.flags[id] ?? 0,
    isNested: (id) => columns.nested[id] === 1,
    addFlags: (id, flags) => {
      columns.flags[id] = (columns.flags[id] ?? 0) | flags;
    },
  };
}

/** Everything but database.sql, wp-config.php and the like, which lie beside the top directory. */
function isNestedEntry(entry: EntryStat): boolean {
  return entry.type === "d" || entry.name.includes("/");
}

/** 61 bytes per entry. */
function createColumns(capacity: number) {
  return {
    type: new Uint8Array(capacity),
    flags: new Uint8Array(capacity),
    nested: new Uint8Array(capacity),
    mode: new Uint16Array(capacity),
    uid: new Uint32Array(capacity),
    gid: new Uint32Array(capacity),
    nameAt: new Uint32Array(capacity),
    linkAt: new Uint32Array(capacity),
    size: new Float64Array(capacity),
    tarOffset: new Float64Array(capacity),
    mtimeNs: new BigInt64Array(capacity),
    ctimeNs: new BigInt64Array(capacity),
    ino: new BigUint64Array(capacity),
  };
}

type Columns = ReturnType<typeof createColumns>;

function grownColumns(columns: Columns, capacity: number): Columns {
  const larger = createColumns(capacity);
  for (const key of Object.keys(columns) as (keyof Columns)[]) {
    (larger[key] as { set: (from: unknown) => void }).set(columns[key]);
  }
  return larger;
}
