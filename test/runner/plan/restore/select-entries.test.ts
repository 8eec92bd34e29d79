// What is selected is what was asked for, held against the plain meaning of the words.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEntryTable, type EntryTable } from "#runner/plan/copy/entry-table.ts";
import { createListing } from "#runner/plan/restore/list-entries.ts";
import { selectEntries } from "#runner/plan/restore/select-entries.ts";
import type { EntryStat } from "#shared/format/index-entry.ts";

const part = fc.constantFrom("a", "b", "ab", "uploads");
const name = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((parts) => ["wp-content", ...parts].join("/"));
const names = fc.uniqueArray(fc.oneof(name, fc.constantFrom("database.sql", "wp-config.php")), {
  minLength: 1,
  maxLength: 30,
});

function stat(entryName: string, more: Partial<EntryStat> = {}): EntryStat {
  const times = { mtimeNs: 0n, ctimeNs: 0n };
  return { type: "f", name: entryName, size: 3, mode: 0o644, uid: 0, gid: 0, ino: 1n, ...times, ...more };
}

function tableOf(stats: readonly EntryStat[]): EntryTable {
  const table = createEntryTable();
  for (const [at, entry] of stats.entries()) table.add(entry, at * 1024, 0);
  return table;
}

const isBelow = (entryName: string, path: string): boolean =>
  entryName === path || entryName.startsWith(`${path}/`);

it("takes a path and all below it, and nothing that only begins alike", () => {
  fc.assert(
    fc.property(names, fc.nat(), (all, pick) => {
      const table = tableOf(all.map((each) => stat(each)));
      const whole = all[pick % all.length] ?? "";
      const path = whole.split("/").slice(0, 3).join("/");
      const { files } = selectEntries(table, { paths: [`./${path}/`] }, "database.sql");
      expect(files.map((id) => table.name(id))).toEqual(all.filter((each) => isBelow(each, path)));
    }),
  );
});

it("takes every entry just once when the parts are taken one by one", () => {
  fc.assert(
    fc.property(names, (all) => {
      const table = tableOf(all.map((each) => stat(each)));
      const parts = (["db", "files", "config"] as const).flatMap(
        (only) => selectEntries(table, { only: [only] }, "database.sql").files,
      );
      expect(parts.toSorted((a, b) => a - b)).toEqual(selectEntries(table, {}, "database.sql").files);
    }),
  );
});

it("takes the directories around what is selected", () => {
  const directories = ["wp-content/a/b", "wp-content/a", "wp-content/c", "wp-content"].map((each) =>
    stat(each, { type: "d", size: 0 }),
  );
  const table = tableOf([stat("wp-content/a/b/x"), ...directories]);
  const selected = selectEntries(table, { paths: ["wp-content/a/b/x"] }, "database.sql");
  expect(selected.directories.map((id) => table.name(id))).toEqual([
    "wp-content/a/b",
    "wp-content/a",
    "wp-content",
  ]);
});

describe("a listing", () => {
  const entries = [
    stat("wp-content/uploads/2026/a.jpg", { size: 5 }),
    stat("wp-content/uploads/b.jpg", { size: 7 }),
    stat("wp-content/link", { type: "l", size: 0, link: "uploads" }),
    stat("wp-content/uploads", { type: "d", size: 0 }),
    stat("database.sql", { size: 9 }),
  ];
  const list = (prefix: string, isDeep = false): string[] => {
    const listing = createListing(prefix, isDeep);
    for (const entry of entries) listing.see(entry);
    return listing.list().map((row) => `${row.type} ${row.name} ${row.size} ${row.files}`);
  };

  it("shows one level with what is below it", () => {
    expect(list("")).toEqual(["file database.sql 9 1", "directory wp-content 12 3"]);
    expect(list("wp-content/")).toEqual(["symlink wp-content/link 0 1", "directory wp-content/uploads 12 2"]);
  });

  it("shows a file by its name, everything if asked, and nothing that is not there", () => {
    expect(list("./database.sql")).toEqual(["file database.sql 9 1"]);
    expect(list("wp-content/uploads", true)).toEqual([
      "file wp-content/uploads/2026/a.jpg 5 1",
      "file wp-content/uploads/b.jpg 7 1",
    ]);
    expect(list("wp-content/upload")).toEqual([]);
  });
});
