// Two readers of one line: whatever the quick one accepts, the strict one reads the same; and it accepts the usual.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEntry, encodeEntry, type IndexEntry } from "#shared/format/index-entry.ts";
import { scanEntry } from "#shared/format/scan-entry.ts";
import { indexSample } from "./index-samples.ts";

/** What is read of the bytes, and where the cursor is then. */
function scan(bytes: Uint8Array, at = 0): readonly [IndexEntry | undefined, number] {
  const cursor = { block: Buffer.from(bytes), at };
  return [scanEntry(cursor), cursor.at];
}

function strictly(line: string): IndexEntry | undefined {
  try {
    return decodeEntry(JSON.parse(line));
  } catch {
    return undefined;
  }
}

const USUAL: IndexEntry = {
  type: "f",
  name: "wp-content/plugins/shop/a-b_c.min.js",
  tarOffset: 1_368_379_392,
  size: 70_123,
  mode: 0o644,
  uid: 33,
  gid: 33,
  mtimeNs: 1_764_358_989_123_456_789n,
  ctimeNs: 1_764_358_989_000_000_001n,
  ino: 13_107_239n,
  flags: 2,
};

const USUALS: readonly (readonly [string, Partial<IndexEntry>])[] = [
  ["a file", {}],
  ["an empty file at the beginning", { size: 0, tarOffset: 0, flags: 0, mode: 0, uid: 0, gid: 0 }],
  ["a directory", { type: "d", size: 0 }],
  ["a symbolic link that leads up", { type: "l", size: 0, link: "../../../etc/x//" }],
  ["a hard link", { type: "h", size: 0, link: "wp-content/first" }],
  ["a name in UTF-8", { name: Buffer.from("wp-content/ä→/日本.png").toString("latin1") }],
  ["dots that lead nowhere else", { name: ".../..a/b../.c/d./.htaccess" }],
  ["the longest name", { name: "n".repeat(32_768) }],
  ["times of old", { mtimeNs: 0n, ctimeNs: 7n, ino: 0n }],
  [
    "the largest numbers that it reads",
    { mtimeNs: 8_999_999_999_999_999_999n, ino: 999_999_999_999_999_999n },
  ],
  ["a size of many digits", { size: 999_999_999_999_999, tarOffset: 999_999_999_999_488 }],
  ["numbers about 2^32 and 2^48", { mtimeNs: 2n ** 32n, ctimeNs: 2n ** 48n - 1n, ino: 65_536_000_000_000n }],
];

describe("accepts, as it was written,", () => {
  it.each(USUALS)("%s", (_, fields) => {
    const entry = { ...USUAL, ...fields };
    const line = Buffer.from(`${encodeEntry(entry)}\n`);
    expect(scan(Buffer.concat([Buffer.from("x"), line, line]), 1)).toEqual([entry, line.length + 1]);
  });
});

const LEFT_TO_OTHERS: readonly (readonly [string, string])[] = [
  ["an escape", encodeEntry({ ...USUAL, name: 'wp-content/"q"' })],
  ["a name that is not UTF-8", encodeEntry({ ...USUAL, name: "wp-content/\xff" })],
  ["a time before 1970", encodeEntry({ ...USUAL, mtimeNs: -1n })],
  ["a time after 2262", encodeEntry({ ...USUAL, mtimeNs: 9_223_372_036_854_775_807n })],
  ["an inode of 64 bits", encodeEntry({ ...USUAL, ino: 2n ** 64n - 1n })],
  ["a space", encodeEntry(USUAL).replace(",", ", ")],
  ["a return", `${encodeEntry(USUAL)}\r`],
];

const WRONG: readonly (readonly [string, string])[] = [
  ["an unknown type", encodeEntry(USUAL).replace('"f"', '"x"')],
  ["no name", encodeEntry(USUAL).replace(/"wp[^"]*"/, '""')],
  ["a name that leads up", encodeEntry({ ...USUAL, name: "wp-content/../x" })],
  ["a name that ends with dots", encodeEntry({ ...USUAL, name: "wp-content/.." })],
  ["a name with a dot for a component", encodeEntry({ ...USUAL, name: "./x" })],
  ["an absolute name", encodeEntry({ ...USUAL, name: "/etc/passwd" })],
  ["a name that ends with a slash", encodeEntry({ ...USUAL, name: "wp-content/" })],
  ["a name with an empty component", encodeEntry({ ...USUAL, name: "a//b" })],
  ["a hard link that leads out", encodeEntry({ ...USUAL, type: "h", size: 0, link: "../x" })],
  ["a name too long", encodeEntry(USUAL).replace("wp-content", "n".repeat(32_769))],
  ["a control character", encodeEntry(USUAL).replace("shop", "sh\u0001op")],
  ["a directory with a size", encodeEntry({ ...USUAL, type: "d" })],
  ["a place between blocks", encodeEntry({ ...USUAL, tarOffset: 511 })],
  ["more than twelve bits of mode", encodeEntry({ ...USUAL, mode: 0o10000 })],
  ["a user above 32 bits", encodeEntry({ ...USUAL, uid: 2 ** 32 })],
  ["a group above 32 bits", encodeEntry({ ...USUAL, gid: 2 ** 32 })],
  ["an unknown flag", encodeEntry({ ...USUAL, flags: 4 })],
  ["a leading zero", encodeEntry(USUAL).replace(",70123,", ",070123,")],
  ["a leading zero in a time", encodeEntry(USUAL).replace('"1764', '"01764')],
  ["no size", encodeEntry(USUAL).replace(",70123,", ",,")],
  ["a negative size", encodeEntry(USUAL).replace(",70123,", ",-1,")],
  ["a size with a fraction", encodeEntry(USUAL).replace(",70123,", ",70123.5,")],
  ["a time without quotes", encodeEntry(USUAL).replace(`"${USUAL.ino}"`, "1")],
  ["a link where none belongs", encodeEntry({ ...USUAL, link: "x" })],
  ["a link without one", encodeEntry({ ...USUAL, type: "l", size: 0 })],
  ["a missing field", encodeEntry(USUAL).replace(",2]", "]")],
  ["something behind it", `${encodeEntry(USUAL)} `.replace("] ", "]x")],
];

describe("leaves to decodeEntry", () => {
  it.each(LEFT_TO_OTHERS)("%s, which is right", (_, line) => {
    expect(scan(Buffer.from(`${line}\n`))[0]).toBeUndefined();
    expect(strictly(line)).toBeDefined();
  });

  it.each(WRONG)("%s, which is wrong", (_, line) => {
    expect(scan(Buffer.from(`${line}\n`))[0]).toBeUndefined();
    expect(strictly(line)).toBeUndefined();
  });

  it("a line that is cut off anywhere", () => {
    const line = Buffer.from(`${encodeEntry({ ...USUAL, type: "l", size: 0, link: "to" })}\n`);
    for (let length = 0; length < line.length; length += 1) {
      expect(scan(line.subarray(0, length))[0]).toBeUndefined();
    }
  });
});

describe("never says anything else than decodeEntry", () => {
  it("of any entry", () => {
    fc.assert(
      fc.property(indexSample, ({ entries }) => {
        for (const entry of entries) {
          const [scanned] = scan(Buffer.from(`${encodeEntry(entry)}\n`));
          if (scanned !== undefined) expect(scanned).toEqual(entry);
        }
      }),
    );
  });

  it("of lines in which bytes were changed", () => {
    const ascii = fc.record({ ...constants(USUAL), name: fc.stringMatching(/^[a-z./"\\ ]{1,9}$/) });
    const change = fc.tuple(fc.nat(), fc.constantFrom(...Array.from('0129-.,"[]\\/ aeflhdn\n\t')));
    fc.assert(
      fc.property(ascii, fc.array(change, { minLength: 1, maxLength: 3 }), (entry, changes) => {
        const line = Buffer.from(encodeEntry(entry));
        for (const [at, char] of changes) line.write(char, at % line.length, "latin1");
        const [scanned, end] = scan(Buffer.concat([line, Buffer.from("\n")]));
        if (scanned === undefined) return;
        expect(strictly(line.toString("latin1", 0, end - 1))).toEqual(scanned);
      }),
      { numRuns: 5000 },
    );
  });
});

function constants(entry: IndexEntry): { [Key in keyof IndexEntry]: fc.Arbitrary<IndexEntry[Key]> } {
  const arbitraries = Object.entries(entry).map(([key, value]) => [key, fc.constant(value)]);
  return Object.fromEntries(arbitraries) as { [Key in keyof IndexEntry]: fc.Arbitrary<IndexEntry[Key]> };
}
