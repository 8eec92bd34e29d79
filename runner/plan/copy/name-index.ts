// Finds an entry by its name without a JavaScript string or Map slot per file: names lie in one byte arena, and an
// open-addressed hash table of 32-bit numbers points into it. About 12 bytes per file on top of the names.

/** A probe gives up here, so that names made to collide cost a re-read of those files and not minutes. */
const MAX_PROBES = 256;
const EMPTY = 0;

export interface NameIndex {
  /** Makes entry `id` findable by `name`, which must not be in the index yet. */
  readonly insert: (name: string, id: number) => void;
  /** The id of the entry with that name, or -1. A name that is not found is treated as new: safe, only slower. */
  readonly find: (name: string) => number;
}

/** `nameIs` and `nameOf` look into the arena. */
export function createNameIndex(
  nameIs: (id: number, name: string) => boolean,
  nameOf: (id: number) => string,
): NameIndex {
  let slots = new Int32Array(1024);
  let used = 0;

  const place = (table: Int32Array, name: string, id: number): void => {
    let at = hash(name) & (table.length - 1);
    for (let probe = 0; probe < MAX_PROBES; probe += 1) {
      if (table[at] === EMPTY) {
        table[at] = id + 1;
        return;
      }
      at = (at + 1) & (table.length - 1);
    }
  };
  const grow = (): void => {
    const larger = new Int32Array(slots.length * 2);
    for (const slot of slots) if (slot !== EMPTY) place(larger, nameOf(slot - 1), slot - 1);
    slots = larger;
  };
  return {
    insert: (name, id) => {
      if ((used + 1) * 3 > slots.length * 2) grow();
      used += 1;
      place(slots, name, id);
    },
    find: (name) => {
      let at = hash(name) & (slots.length - 1);
      for (let probe = 0; probe < MAX_PROBES; probe += 1) {
        const slot = slots[at] ?? EMPTY;
        if (slot === EMPTY) return -1;
        if (nameIs(slot - 1, name)) return slot - 1;
        at = (at + 1) & (slots.length - 1);
      }
      return -1;
    },
  };
}

/** FNV-1a with murmur3's finaliser, which spreads it over the low bits that the table uses. */
function hash(name: string): number {
  let state = 0x811c_9dc5;
  for (let index = 0; index < name.length; index += 1) {
    state = Math.imul(state ^ name.charCodeAt(index), 0x0100_0193);
  }
  state = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2_ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
