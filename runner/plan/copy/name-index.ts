// Finds an entry by its name without a JavaScript string or Map slot per file: names lie in one byte arena, and an
// open-addressed hash table of 32-bit numbers points into it. 12 to 24 bytes per file on top of the names.

/** A probe gives up here, so that names made to collide cost a re-read of those files and not minutes. */
const MAX_PROBES = 256;
const EMPTY = 0;

export interface NameIndex {
  /** Makes entry `id` findable by `name`, which must not be in the index yet. */
  readonly insert: (name: string, id: number) => void;
  /** The id of the entry with that name, or -1. A name that is not found is treated as new: safe, only slower. */
  readonly find: (name: string) => number;
}

/** `nameIs` looks into the arena. */
export function createNameIndex(nameIs: (id: number, name: string) => boolean): NameIndex {
  let slots = createSlots(1024);
  let used = 0;

  const grow = (): void => {
    const larger = createSlots(slots.ids.length * 2);
    for (const [at, id] of slots.ids.entries()) if (id !== EMPTY) place(larger, slots.hashes[at] ?? 0, id);
    slots = larger;
  };
  return {
    insert: (name, id) => {
      if ((used + 1) * 3 > slots.ids.length * 2) grow();
      used += 1;
      place(slots, hash(name), id + 1);
    },
    find: (name) => {
      const { ids, hashes } = slots;
      const hashed = hash(name);
      let at = hashed & (ids.length - 1);
      for (let probe = 0; probe < MAX_PROBES; probe += 1) {
        const id = ids[at] ?? EMPTY;
        if (id === EMPTY) return -1;
        if (hashes[at] === hashed && nameIs(id - 1, name)) return id - 1;
        at = (at + 1) & (ids.length - 1);
      }
      return -1;
    },
  };
}

interface Slots {
  /** Entry id plus one, or EMPTY. The length is a power of two. */
  readonly ids: Int32Array;
  readonly hashes: Uint32Array;
}

function createSlots(length: number): Slots {
  return { ids: new Int32Array(length), hashes: new Uint32Array(length) };
}

function place({ ids, hashes }: Slots, hashed: number, id: number): void {
  let at = hashed & (ids.length - 1);
  for (let probe = 0; probe < MAX_PROBES; probe += 1) {
    if (ids[at] === EMPTY) {
      ids[at] = id;
      hashes[at] = hashed;
      return;
    }
    at = (at + 1) & (ids.length - 1);
  }
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
