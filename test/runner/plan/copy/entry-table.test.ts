import { expect, it } from "vitest";
import { createEntryTable } from "#runner/plan/copy/entry-table.ts";
import type { EntryStat } from "#shared/format/index-entry.ts";

const MANY = 50_000;

function entry(number: number, fields: Partial<EntryStat> = {}): EntryStat {
  const stat = { mode: 0o644, uid: 33, gid: 33, mtimeNs: BigInt(number), ctimeNs: 2n, ino: BigInt(number) };
  return { type: "f", name: `wp-content/uploads/${number}.jpg`, size: number, ...stat, ...fields };
}

it.each([
  ["grows", 0],
  ["was told how many come", MANY],
  ["was told of more than there can be", Number.MAX_SAFE_INTEGER],
])("finds every name in a table that %s", (_, expected) => {
  const table = createEntryTable(expected);
  for (let id = 0; id < MANY; id += 1) {
    if (table.add(entry(id), id * 512, 0) !== id) expect.fail(`entry ${id} is taken for another`);
  }
  expect(table.count()).toBe(MANY);
  for (let id = 0; id < MANY; id += 1) {
    if (table.find(entry(id).name) !== id || !table.matches(id, entry(id)))
      expect.fail(`entry ${id} is lost`);
  }
  expect(table.find("wp-content/uploads/50000.jpg")).toBe(-1);
  expect(table.stat(MANY - 1)).toEqual(entry(MANY - 1));
});

it("says of a name that came before whose it is", () => {
  const table = createEntryTable();
  expect(table.add(entry(1), 0, 0)).toBe(0);
  expect(table.add(entry(2), 512, 0)).toBe(1);
  expect(table.add(entry(3, { name: entry(1).name }), 1024, 0)).toBe(0);
  expect(table.find(entry(1).name)).toBe(0);
  expect(table.count()).toBe(3);
  expect(table.stat(2).ino).toBe(3n);
});
