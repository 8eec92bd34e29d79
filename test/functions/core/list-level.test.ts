// One level of an archive against a model that keeps everything: same names, same sums, whatever the order and the page.
import fc from "fast-check";
import { expect, test } from "vitest";
import { createLevel } from "#functions/core/list-level.ts";
import type { IndexEntry } from "#shared/format/index-entry.ts";
import { filesOf } from "#test/helpers/indexed-archive.ts";

interface Listed {
  readonly name: string;
  readonly sizeBytes: number;
  readonly files: number;
}

function list(entries: readonly IndexEntry[], prefix: string, limit: number): Listed[] {
  const all: Listed[] = [];
  let after: string | undefined;
  for (;;) {
    const level = createLevel(prefix, limit, after);
    for (const entry of entries) level.entry(entry);
    const { items, hasMore } = level.items();
    expect(items.length).toBeLessThanOrEqual(limit);
    all.push(...items.map(({ name, sizeBytes, files }) => ({ name, sizeBytes, files })));
    after = items.at(-1)?.name;
    if (!hasMore) return all;
  }
}

function model(entries: readonly IndexEntry[], prefix: string): Listed[] {
  const sums = new Map<string, Listed>();
  for (const { name, size, type } of entries) {
    if (prefix !== "" && !name.startsWith(`${prefix}/`)) continue;
    const child = name.slice(prefix === "" ? 0 : prefix.length + 1).split("/")[0] ?? "";
    const { sizeBytes, files } = sums.get(child) ?? { sizeBytes: 0, files: 0 };
    sums.set(child, { name: child, sizeBytes: sizeBytes + size, files: files + (type === "f" ? 1 : 0) });
  }
  return [...sums.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const part = fc.constantFrom("a", "b", "c", "d", "e", "f", "-", "a.txt", "\xe9", "zz");
const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

test("pages put together are the whole level, in order", () => {
  fc.assert(
    fc.property(
      fc.dictionary(name, fc.nat(1000), { maxKeys: 60 }),
      fc.constantFrom("", "a", "a/b", "b"),
      fc.integer({ min: 1, max: 7 }),
      (sizes, prefix, limit) => {
        const entries = filesOf(sizes);
        expect(list(entries, prefix, limit)).toEqual(model(entries, prefix));
      },
    ),
  );
});

test("a file of the prefix's name is told from a directory, and both from nothing", () => {
  const entries = filesOf({ "wp-config.php": 5, "wp-content/x": 1, "empty/": 0 });
  const look = (prefix: string): [boolean, boolean] => {
    const level = createLevel(prefix, 10, undefined);
    for (const entry of entries) level.entry(entry);
    return [level.exists(), level.isFile()];
  };
  expect(look("wp-config.php")).toEqual([true, true]);
  expect(look("wp-content")).toEqual([true, false]);
  expect(look("empty")).toEqual([true, false]);
  expect(look("wp-con")).toEqual([false, false]);
});
