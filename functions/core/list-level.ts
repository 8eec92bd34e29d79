// One level of an archive, as a directory listing, from entries that come in the archive's order. Whatever the archive
// holds, no more than a few pages of names are in memory: the smallest ones after the cursor.
import type { EntryType, IndexEntry } from "#shared/format/index-entry.ts";

export interface LevelItem {
  /** Byte string, without the prefix. */
  readonly name: string;
  type: EntryType;
  /** Of a directory: all files below it. */
  sizeBytes: number;
  files: number;
  /** A directory's own, if the archive has an entry for it. */
  mtimeNs: bigint | undefined;
}

export interface Level {
  readonly entry: (entry: IndexEntry) => void;
  /** Whether the prefix is a file and no directory. */
  isFile(): boolean;
  /** Whether anything was at or below the prefix. */
  exists(): boolean;
  /** In the order of their bytes. */
  items(): { readonly items: LevelItem[]; readonly hasMore: boolean };
}

/** `prefix` is the byte string of a directory without slashes around it, "" for the top; `after` a name in it. */
export function createLevel(prefix: string, limit: number, after: string | undefined): Level {
  const within = prefix === "" ? "" : `${prefix}/`;
  const keepMost = 4 * (limit + 1);
  let found = new Map<string, LevelItem>();
  /** No name behind it can be on this page. */
  let last: string | undefined;
  let exists = prefix === "";
  let isFile = false;

  function itemOf(name: string, type: EntryType): LevelItem | undefined {
    if (after !== undefined && name <= after) return undefined;
    const known = found.get(name);
    if (known !== undefined) return known;
    if (last !== undefined && name > last) return undefined;
    const item: LevelItem = { name, type, sizeBytes: 0, files: 0, mtimeNs: undefined };
    found.set(name, item);
    if (found.size > keepMost) prune();
    return item;
  }

  function prune(): void {
    const smallest = sorted().slice(0, limit + 1);
    last = smallest.at(-1)?.name;
    found = new Map(smallest.map((item) => [item.name, item]));
  }

  const sorted = (): LevelItem[] => [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

  return {
    entry(entry) {
      if (entry.name === prefix) {
        exists = true;
        isFile = entry.type !== "d";
      }
      if (!entry.name.startsWith(within)) return;
      exists = true;
      const rest = entry.name.slice(within.length);
      const slash = rest.indexOf("/");
      const isBelow = slash !== -1;
      const item = itemOf(isBelow ? rest.slice(0, slash) : rest, isBelow ? "d" : entry.type);
      if (item === undefined) return;
      if (!isBelow) item.mtimeNs = entry.mtimeNs;
      if (entry.type !== "f") return;
      item.sizeBytes += entry.size;
      item.files += 1;
    },
    isFile: () => isFile,
    exists: () => exists,
    items: () => {
      const all = sorted();
      return { items: all.slice(0, limit), hasMore: all.length > limit };
    },
  };
}
