// Two ordered sequences become one: the prefixes of the sites on record, and the objects of the storage in their keys'
// order. So a bucket and a fleet of any size are compared with one page of each in memory.
import type { StoredObject } from "./stored-object.ts";

export interface PrefixContents<S> {
  /** `{node}/{site}/`, or undefined for objects below no such prefix. */
  readonly prefix: string | undefined;
  /** That is on record with that prefix. */
  readonly site: S | undefined;
  readonly objects: readonly StoredObject[];
}

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const PREFIX = new RegExp(`^${UUID}/${UUID}/`);

/** `sites` and `objects` in the order of their prefixes and keys. */
export async function* mergePrefixes<S extends { readonly prefix: string }>(
  sites: readonly S[],
  objects: AsyncIterable<StoredObject>,
): AsyncGenerator<PrefixContents<S>> {
  let next = 0;
  const sitesBefore = function* (prefix: string | undefined): Generator<PrefixContents<S>> {
    for (;;) {
      const site = sites[next];
      if (site === undefined || (prefix !== undefined && site.prefix >= prefix)) return;
      next += 1;
      yield { prefix: site.prefix, site, objects: [] };
    }
  };
  for await (const group of byPrefix(objects)) {
    if (group.prefix === undefined) {
      yield { ...group, site: undefined };
      continue;
    }
    yield* sitesBefore(group.prefix);
    const site = sites[next]?.prefix === group.prefix ? sites[next] : undefined;
    if (site !== undefined) next += 1;
    yield { ...group, site };
  }
  yield* sitesBefore(undefined);
}

type Group = Omit<PrefixContents<never>, "site">;

async function* byPrefix(objects: AsyncIterable<StoredObject>): AsyncGenerator<Group> {
  let prefix: string | undefined;
  let group: StoredObject[] = [];
  for await (const object of objects) {
    const own = PREFIX.exec(object.key)?.[0];
    if (own !== prefix && group.length > 0) {
      yield { prefix, objects: group };
      group = [];
    }
    prefix = own;
    if (own === undefined) yield { prefix: undefined, objects: [object] };
    else group.push(object);
  }
  if (group.length > 0) yield { prefix, objects: group };
}

/** Keys after it are those behind everything below `prefix`: `0` follows `/`. */
export function pastPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
