// Finds an entry by its name without a JavaScript string or Map slot per file: names lie in one byte arena, and an
// open-addressed hash table of 32-bit numbers points into it. 12 to 24 bytes per file on top of the names.

/** A probe gives up here, so that names made to collide cost a re-read of those files and not minutes. */
const MAX_PROBES = 256;
const EMPTY = 0;
const NOWHERE = -1;

export interface NameIndex {
  /** Makes entry `id` findable by `name`, unless another is already: the id of the one that is. */
  readonly insert: (name: string, id: number) => number;
  /** The id of the entry with that name, or -1. A name that is not found is treated as new: safe, only slower. */
  readonly find: (name: string) => number;
}

/** `nameIs` looks into the arena. With `expected` names nothing has to be placed anew. */
export function createNameIndex(nameIs: (id: number, name: string) => boolean, expected: number): NameIndex {
  let slots = createSlots(2 ** Math.ceil(Math.log2(Math.max(1024, expected * 1.5 + 2))));
  let used = 0;

  const grow = (): void => {
    const larger = createSlots(slots.ids.length * 2);
    for (const [at, id] of slots.ids.entries()) {
      const hashed = slots.hashes[at] ?? 0;
      if (id !== EMPTY) put(larger, slotOf(larger, hashed, isNobody), hashed, id);
    }
    slots = larger;
  };
  return {
    insert: (name, id) => {
      if ((used + 1) * 3 > slots.ids.length * 2) grow();
      const hashed = hash(name);
      const at = slotOf(slots, hashed, (other) => nameIs(other - 1, name));
      const found = at === NOWHERE ? EMPTY : (slots.ids[at] ?? EMPTY);
      if (found !== EMPTY) return found - 1;
      used += 1;
      put(slots, at, hashed, id + 1);
      return id;
    },
    find: (name) => {
      const at = slotOf(slots, hash(name), (other) => nameIs(other - 1, name));
      return at === NOWHERE ? -1 : (slots.ids[at] ?? EMPTY) - 1;
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

/** The slot of the entry that `isIt`, or the empty one where it belongs; NOWHERE if too many are in the way. */
function slotOf({ ids, hashes }: Slots, hashed: number, isIt: (id: number) => boolean): number {
  let at = hashed & (ids.length - 1);
  for (let probe = 0; probe < MAX_PROBES; probe += 1) {
    const id = ids[at] ?? EMPTY;
    if (id === EMPTY || (hashes[at] === hashed && isIt(id))) return at;
    at = (at + 1) & (ids.length - 1);
  }
  return NOWHERE;
}

function put({ ids, hashes }: Slots, at: number, hashed: number, id: number): void {
  if (at === NOWHERE) return;
  ids[at] = id;
  hashes[at] = hashed;
}

function isNobody(): boolean {
  return false;
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
