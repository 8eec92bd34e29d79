// Today's walk in four bytes per unchanged entry: an unchanged entry is a reference to the previous archive's record,
// and only a new or changed one is stored.
import { isLateLink } from "#shared/format/entry-name.ts";
import type { EntryStat } from "#shared/format/index-entry.ts";
import { createEntryTable, type EntryTable } from "./entry-table.ts";

/** What has become of things since the previous archive. */
export interface Compared {
  readonly unchanged: number;
  readonly changed: number;
  readonly added: number;
  readonly deleted: number;
}

export interface PlanCounts extends Compared {
  /** Of today's entries (without the dump); `unchanged` + `changed` + `added` is all of them. */
  readonly unchanged: number;
  /** Other stat than before, or not to be trusted (read while it changed, racily clean). */
  readonly changed: number;
  readonly added: number;
  /** Entries of the previous archive that are no more. */
  readonly deleted: number;
  /** Of the unchanged: in copied frames. The others share a frame with something that changed. */
  readonly copied: number;
  /** The same of regular files and hard links alone. */
  readonly files: Compared;
}

/** Entries to pack, each list in the order in which it must be packed; `files` first, `directories` last. */
export interface FreshEntries {
  /** Regular files and symbolic links, but for late ones, in walk order. */
  readonly files: Iterable<EntryStat>;
  readonly hardLinks: Iterable<EntryStat>;
  /** Every directory after those within it, and right before its late links. */
  readonly directories: Iterable<EntryStat>;
  readonly count: number;
  /** Content bytes of `files`. */
  readonly fileBytes: number;
}

/** Entries that need not be packed: 1 per entry of the previous archive, and per entry that the walk has stored. */
export interface Taken {
  readonly previous: Uint8Array;
  readonly stored: Uint8Array;
}

export interface WalkOrder {
  readonly see: (entry: EntryStat) => void;
  /** Per entry of the previous archive: 1 if today's tree has it unchanged and its content can be trusted. */
  readonly wanted: () => Uint8Array;
  readonly nestedCount: () => number;
  /** Whether today's tree has exactly this entry and it is not in `taken` yet; `take` then puts it there. */
  readonly isOpen: (entry: EntryStat, taken: Taken) => boolean;
  readonly take: (name: string, taken: Taken) => void;
  /** None taken, after the walk. */
  readonly noneTaken: () => Taken;
  readonly fresh: (taken: Taken) => FreshEntries;
  /** `copied` says per entry of the previous archive whether it lies in a copied frame. */
  readonly counts: (copied: Uint8Array, databaseName: string | undefined) => PlanCounts;
}

const UNSEEN = 0;
const WANTED = 1;
const SEEN = 2;

export function createWalkOrder(previous: EntryTable | undefined): WalkOrder {
  const state = new Uint8Array(previous?.count() ?? 0);
  const stored = createEntryTable();
  /** `id` for previous entry `id`, `~id` for stored entry `id`. */
  let order = new Int32Array(1024);
  let length = 0;
  let nested = 0;
  const seen = { unchanged: 0, changed: 0 };
  const files = { unchanged: 0, changed: 0, added: 0 };

  const push = (reference: number): void => {
    if (length === order.length) {
      const larger = new Int32Array(Math.ceil(order.length * 1.5));
      larger.set(order);
      order = larger;
    }
    order[length] = reference;
    length += 1;
  };
  /** `id` for previous entry `id`, `~id` for stored entry `id`, as in `order`. */
  const locate = (name: string): number | undefined => {
    const id = stored.find(name);
    if (id !== -1) return ~id;
    const before = previous?.find(name) ?? -1;
    return before !== -1 && state[before] !== UNSEEN ? before : undefined;
  };
  const tableOf = (reference: number): EntryTable =>
    reference >= 0 && previous !== undefined ? previous : stored;
  const isTaken = (reference: number, taken: Taken): boolean =>
    reference >= 0 ? taken.previous[reference] === 1 : taken.stored[~reference] === 1;
  const fresh = function* (taken: Taken, types: string, backwards: boolean): Generator<EntryStat, undefined> {
    for (let step = 0; step < length; step += 1) {
      const reference = order[backwards ? length - 1 - step : step] ?? 0;
      if (isTaken(reference, taken)) continue;
      const table = tableOf(reference);
      const id = reference >= 0 ? reference : ~reference;
      if (types.includes(table.type(id))) yield table.stat(id);
    }
  };
  return {
    see: (entry) => {
      const before = previous?.find(entry.name) ?? -1;
      // A directory read while it changes can list a name twice; the file is the same.
      if (before === -1 ? stored.find(entry.name) !== -1 : state[before] !== UNSEEN) return;
      const same = before !== -1 && previous?.matches(before, entry) === true;
      const trusted = same && previous.flags(before) === 0;
      if (before !== -1) state[before] = trusted ? WANTED : SEEN;
      const fate = trusted ? "unchanged" : before !== -1 ? "changed" : "added";
      if (fate !== "added") seen[fate] += 1;
      if (isFile(entry.type)) files[fate] += 1;
      push(same ? before : ~stored.add(entry, 0, 0));
      if (entry.type === "d" || entry.name.includes("/")) nested += 1;
    },
    wanted: () => state.map((seen) => (seen === WANTED ? 1 : 0)),
    nestedCount: () => nested,
    isOpen: (entry, taken) => {
      const reference = locate(entry.name);
      if (reference === undefined || isTaken(reference, taken)) return false;
      return tableOf(reference).matches(reference >= 0 ? reference : ~reference, entry);
    },
    take: (name, taken) => {
      const reference = locate(name);
      if (reference === undefined) return;
      if (reference >= 0) taken.previous[reference] = 1;
      else taken.stored[~reference] = 1;
    },
    noneTaken: () => ({
      previous: new Uint8Array(state.length),
      stored: new Uint8Array(stored.count()),
    }),
    fresh: (taken) => {
      let count = 0;
      let fileBytes = 0;
      for (const entry of fresh(taken, "fldh", false)) {
        count += 1;
        fileBytes += entry.size;
      }
      return {
        files: { [Symbol.iterator]: () => withoutLateLinks(fresh(taken, "fl", false)) },
        hardLinks: { [Symbol.iterator]: () => fresh(taken, "h", false) },
        directories: { [Symbol.iterator]: () => withLateLinks(fresh(taken, "dl", true)) },
        count,
        fileBytes,
      };
    },
    counts: (copied, databaseName) => {
      let deleted = 0;
      let deletedFiles = 0;
      let copiedCount = 0;
      for (let entry = 0; entry < state.length; entry += 1) {
        if (state[entry] === WANTED && copied[entry] === 1) copiedCount += 1;
        if (state[entry] !== UNSEEN || previous?.name(entry) === databaseName) continue;
        deleted += 1;
        if (isFile(previous?.type(entry))) deletedFiles += 1;
      }
      const { unchanged, changed } = seen;
      const added = length - unchanged - changed;
      const compared = { ...files, deleted: deletedFiles };
      return { unchanged, changed, added, deleted, copied: copiedCount, files: compared };
    },
  };
}

function isFile(type: EntryStat["type"] | undefined): boolean {
  return type === "f" || type === "h";
}

function* withoutLateLinks(entries: Iterable<EntryStat>): Generator<EntryStat, undefined> {
  for (const entry of entries) if (!isLateLink(entry)) yield entry;
}

/** `backwards`: directories and links, a directory after what is in it. */
function* withLateLinks(backwards: Iterable<EntryStat>): Generator<EntryStat, undefined> {
  const linksOf = new Map<string, EntryStat[]>();
  for (const entry of backwards) {
    if (entry.type === "d") {
      yield entry;
      yield* linksOf.get(entry.name) ?? [];
      linksOf.delete(entry.name);
    } else if (isLateLink(entry)) {
      const directory = entry.name.slice(0, entry.name.lastIndexOf("/"));
      const links = linksOf.get(directory);
      if (links === undefined) linksOf.set(directory, [entry]);
      else links.push(entry);
    }
  }
  for (const links of linksOf.values()) yield* links;
}
