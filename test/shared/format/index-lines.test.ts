import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeIndexLines } from "#shared/format/index-lines.ts";
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

function decode(...lines: readonly unknown[]): unknown {
  return decodeAll([encoder.encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))]);
}

it("accepts the sample that the next test breaks", () => {
  expect(decode(HEADER, FRAME, ENTRY)).toMatchObject({ entries: [{ name: "a", size: 5 }] });
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

it("refuses to write a header that counts wrong", () => {
  expect(() => [...encodeIndexLines(headerOf(2048, 3, 0), [], [])]).toThrow(RangeError);
});

function set(field: number, value: unknown): unknown[] {
  return ENTRY.with(field, value as string);
}

function databaseAt(tarOffset: number): unknown {
  return { name: "database.sql", tar_offset: tarOffset, tar_bytes: 512, bytes: 0, sha256: FRAME[4] };
}
