import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeIndexLines, MAX_LINE_BYTES } from "#shared/format/index-lines.ts";
import { decodeAll, headerOf, indexSample } from "./index-samples.ts";

const corrupt = expect.objectContaining({ code: "archive_corrupt" }) as unknown as Error;
const encoder = new TextEncoder();

it("reads what it wrote", () => {
  fc.assert(
    fc.property(indexSample, ({ header, frames, entries }) => {
      const lines = [...encodeIndexLines(header, frames, entries)];
      const seen = decodeAll(lines.map((line) => encoder.encode(line)));
      expect(seen).toEqual({ headers: [header], frames, entries });
      expect(decodeAll([encoder.encode(lines.join(""))])).toEqual(seen);
    }),
  );
});

it("finds every missing line and every cut", () => {
  fc.assert(
    fc.property(indexSample, fc.nat(), ({ header, frames, entries }, pick) => {
      const lines = [...encodeIndexLines(header, frames, entries)];
      const cut = pick % lines.join("").length;
      expect(() => decodeAll([encoder.encode(lines.join("")).subarray(0, cut)])).toThrow(corrupt);
      if (entries.length === 0) return;
      expect(() => decodeAll(lines.slice(0, -1).map((line) => encoder.encode(line)))).toThrow(corrupt);
    }),
  );
});

const ENTRY = ["f", "a", 0, 5, 420, 0, 0, "1", "1", "1", 0];
const FRAME = [0, 9, 0, 2048, "00".repeat(32)];
const HEADER = headerOf(2048, 1, 1);
const DUMP = ["f", "database.sql", 0, 5, 384, 0, 0, "1", "1", "1", 0];
const DATABASE = { name: "database.sql", tar_offset: 0, tar_bytes: 1024, bytes: 5, sha256: "00".repeat(32) };

function decode(...lines: readonly unknown[]): unknown {
  return decodeAll([encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))]);
}

it("accepts the sample that the next test breaks", () => {
  expect(decode(HEADER, FRAME, ENTRY)).toMatchObject({ entries: [{ name: "a", size: 5 }] });
  const withDump = { ...HEADER, database: DATABASE };
  expect(decode(withDump, FRAME, DUMP)).toMatchObject({ headers: [{ database: DATABASE }] });
});

it.each([
  ["another version", [{ ...HEADER, version: 2 }, FRAME, ENTRY]],
  ["counts beyond belief", [{ ...HEADER, entries: 9e15, frames: 9e15 }, FRAME, ENTRY]],
  ["no room for the tar's end", [{ ...HEADER, entries_end: 2048 }, FRAME, ENTRY]],
  ["a database outside", [{ ...HEADER, database: databaseAt(1024) }, FRAME, ENTRY]],
  ["one line too many", [HEADER, FRAME, ENTRY, ENTRY]],
  ["no header", [FRAME, ENTRY]],
  ["a frame that starts late", [HEADER, [1, 9, 0, 2048, FRAME[4]], ENTRY]],
  ["frames that do not make the tar", [HEADER, [0, 9, 0, 1024, FRAME[4]], ENTRY]],
  ["an empty frame", [HEADER, [0, 0, 0, 2048, FRAME[4]], ENTRY]],
  ["a frame without hash", [HEADER, [0, 9, 0, 2048, "xyz"], ENTRY]],
  ["an entry past the end", [HEADER, FRAME, set(3, 600)]],
  ["an entry between blocks", [HEADER, FRAME, set(2, 7)]],
  ["a first entry behind a gap", [HEADER, FRAME, set(2, 512)]],
  ["overlapping entries", [{ ...HEADER, entries: 2 }, FRAME, ENTRY, set(2, 512)]],
  ["a name with ..", [HEADER, FRAME, set(1, "../../etc/passwd")]],
  ["an absolute name", [HEADER, FRAME, set(1, "/etc/passwd")]],
  ["an unknown type", [HEADER, FRAME, set(0, "x")]],
  ["a directory with content", [HEADER, FRAME, set(0, "d")]],
  ["a link without target", [HEADER, FRAME, ["l", "a", 0, 0, 420, 0, 0, "1", "1", "1", 0]]],
  ["a hard link to outside", [HEADER, FRAME, ["h", "a", 0, 0, 420, 0, 0, "1", "1", "1", 0, "../x"]]],
  ["a negative size", [HEADER, FRAME, set(3, -1)]],
  ["a fractional size", [HEADER, FRAME, set(3, 0.5)]],
  ["a time as a number", [HEADER, FRAME, set(7, 1)]],
  ["a time out of range", [HEADER, FRAME, set(7, "99999999999999999999")]],
  ["a time with a leading zero", [HEADER, FRAME, set(7, "01")]],
  ["a time of minus zero", [HEADER, FRAME, set(7, "-0")]],
  ["a negative inode", [HEADER, FRAME, set(9, "-1")]],
  ["a tar without entries", [{ ...HEADER, entries: 0 }, FRAME]],
  ["a database that has no entry", [{ ...HEADER, database: DATABASE }, FRAME, ENTRY]],
  ["a database that is a link", [{ ...HEADER, database: DATABASE }, FRAME, DUMP.with(0, "l")]],
  ["a database of another length", [{ ...HEADER, database: { ...DATABASE, bytes: 6 } }, FRAME, DUMP]],
  [
    "a database that begins elsewhere",
    [{ ...HEADER, database: { ...DATABASE, tar_offset: 512, tar_bytes: 512 } }, FRAME, DUMP],
  ],
  ["a database that ends elsewhere", [{ ...HEADER, database: { ...DATABASE, tar_bytes: 512 } }, FRAME, DUMP]],
  ["an unknown flag", [HEADER, FRAME, set(10, 4)]],
  ["a mode with type bits", [HEADER, FRAME, set(4, 0o100644)]],
])("refuses %s", (_what, lines) => {
  expect(() => decode(...lines)).toThrow(corrupt);
});

it("refuses bytes that are not lines of JSON in UTF-8", () => {
  for (const bytes of [Buffer.from("{\n"), Buffer.from([0xff, 0x0a]), Buffer.alloc(2_000_000, "[")]) {
    expect(() => decodeAll([bytes])).toThrow(corrupt);
  }
});

it("measures a line in bytes, its newline included", () => {
  const filled = (spaces: number): Buffer => {
    const header = JSON.stringify({ ...HEADER, tool: "é".repeat(200) });
    const fill = " ".repeat(MAX_LINE_BYTES - Buffer.byteLength(header) - 1 + spaces);
    return Buffer.from([header + fill, JSON.stringify(FRAME), JSON.stringify(ENTRY), ""].join("\n"));
  };
  expect(decodeAll([filled(0)]).entries).toHaveLength(1);
  expect(() => decodeAll([filled(1)])).toThrow(corrupt);
});

it("refuses to write a header that counts wrong", () => {
  expect(() => [...encodeIndexLines(headerOf(2048, 3, 0), [], [])]).toThrow(RangeError);
});

function set(field: number, value: unknown): unknown[] {
  return ENTRY.with(field, value as string);
}

function databaseAt(tarOffset: number): unknown {
  return { name: "database.sql", tar_offset: tarOffset, tar_bytes: 512, bytes: 0, sha256: FRAME[4] };
}
