import fc from "fast-check";
import { expect, it } from "vitest";
import {
  isSafeEntryName,
  nameFromBytes,
  nameFromJson,
  nameToBytes,
  nameToJson,
  nameToText,
} from "#shared/format/entry-name.ts";

it("keeps every byte of every name through JSON", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 }).filter((name) => !name.includes(0));
  fc.assert(
    fc.property(bytes, (original) => {
      const name = nameFromBytes(original);
      const back = nameFromJson(JSON.parse(nameToJson(name)), "name");
      expect(back).toBe(name);
      expect(new Uint8Array(nameToBytes(back))).toEqual(original);
    }),
  );
});

it.each([
  ["plain.php", '"plain.php"', "plain.php"],
  ['a"b\\c', '"a\\"b\\\\c"', 'a"b\\c'],
  [Buffer.from("ümläut-日本").toString("latin1"), '"ümläut-日本"', "ümläut-日本"],
  ["caf\xe9", '["Y2Fm6Q=="]', "caf\\xe9"],
])("writes %j as %s and shows it as %s", (name, json, text) => {
  expect(nameToJson(name)).toBe(json);
  expect(nameToText(name)).toBe(text);
});

it.each([
  [""],
  ["\0"],
  ["\ud800"],
  [["YWJj"]],
  [["Y2Fm6Q"]],
  [[]],
  [["Y2Fm6Q==", 1]],
  [7],
  [null],
  ["x".repeat(40_000)],
])("refuses %j as a name", (value) => {
  expect(() => nameFromJson(value, "name")).toThrow(expect.objectContaining({ code: "archive_corrupt" }));
});

it("knows the names that lead out of the archive", () => {
  for (const name of ["", "/etc/passwd", "..", "a/../b", "a//b", "./a", "a/.", "a/"]) {
    expect(isSafeEntryName(name), name).toBe(false);
  }
  for (const name of ["a", "a/b", "...", "a/..b", ".htaccess", "a.b/c d"]) {
    expect(isSafeEntryName(name), name).toBe(true);
  }
});
