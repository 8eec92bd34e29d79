// "Did you mean …": the names of an archive that look most like one that it does not have.
import { nameToText } from "#shared/format/entry-name.ts";
import type { ByteString } from "../byte-string.ts";
import type { EntryTable } from "../copy/entry-table.ts";

const MOST = 3;
/** Of what is asked and what there is: the share of letter pairs that both have. */
const LIKE_ENOUGH = 0.5;

/** The nearest first, for people; none if nothing is near. */
export function nearNames(entries: EntryTable, wanted: ByteString): string[] {
  const wantedBase = basename(wanted);
  const best: { readonly name: ByteString; readonly likeness: number }[] = [];
  for (let id = 0; id < entries.count(); id += 1) {
    const name = entries.name(id);
    const base = basename(name);
    if (Math.abs(base.length - wantedBase.length) > Math.max(base.length, wantedBase.length) / 2) continue;
    const likeness = alike(base, wantedBase) + alike(name, wanted) / 10;
    if (likeness < LIKE_ENOUGH || likeness <= (best[MOST - 1]?.likeness ?? 0)) continue;
    best.push({ name, likeness });
    best.sort((a, b) => b.likeness - a.likeness);
    best.length = Math.min(best.length, MOST);
  }
  return best.map(({ name }) => nameToText(name));
}

function basename(name: ByteString): string {
  return name.slice(name.lastIndexOf("/") + 1).toLowerCase();
}

/** Dice's coefficient over pairs of letters: 1 for the same, 0 for nothing in common. */
function alike(a: string, b: string): number {
  if (a === b) return 1;
  if (a.length < 2 || b.length < 2) return 0;
  const pairs = new Map<string, number>();
  for (let at = 0; at < a.length - 1; at += 1) {
    const pair = a.slice(at, at + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  let common = 0;
  for (let at = 0; at < b.length - 1; at += 1) {
    const pair = b.slice(at, at + 2);
    const left = pairs.get(pair) ?? 0;
    if (left === 0) continue;
    pairs.set(pair, left - 1);
    common += 1;
  }
  return (2 * common) / (a.length + b.length - 2);
}
