// docs/FORMAT.md is enough to write a reader: one that was written from it alone reads what the product packs, and
// finds every damage that the page says can be found.
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { encodeSeekTable } from "#shared/format/seek-table.ts";
import { encodeTrailer } from "#shared/format/trailer.ts";
import { makeSite, packTo, type SiteOnDisk } from "#test/runner/io/pack-to-tree.ts";
import { readArchive, type SpecArchive } from "./spec-reader.ts";

const DUMP = "-- the whole database\n".repeat(300);
const NOT_UTF8 = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0xff]);

const contents = new Map<string, Buffer>();
let object: Buffer;
let archive: SpecArchive;
/** Where index, trailer and seek table start, found without the reader. */
let regions: { readonly index: number; readonly trailer: number; readonly seekTable: number };

/** Bytes that do not compress, the same in every run. */
function noise(seed: number, bytes: number): Buffer {
  return createHash("shake256", { outputLength: Math.max(1, bytes) })
    .update(String(seed))
    .digest()
    .subarray(0, bytes);
}

function put(on: SiteOnDisk, name: Buffer, bytes: number): void {
  const content = noise(contents.size, bytes);
  writeFileSync(Buffer.concat([Buffer.from(`${on.content}/`), name]), content);
  contents.set(Buffer.concat([Buffer.from("wp-content/"), name]).toString("latin1"), content);
}

function fillSite(on: SiteOnDisk): void {
  mkdirSync(join(on.content, "uploads/2026"), { recursive: true });
  mkdirSync(join(on.content, "p".repeat(90), "q".repeat(90)), { recursive: true });
  const sizes = [0, 1, 511, 512, 513, 3_000];
  for (const bytes of sizes) put(on, Buffer.from(`uploads/of ${bytes} bytes`), bytes);
  put(on, Buffer.from("uploads/2026/spans frames.bin"), 30_000);
  put(on, Buffer.from(`${"p".repeat(90)}/${"q".repeat(90)}/${"r".repeat(200)}`), 700);
  put(on, Buffer.from("ünïcode-日本 = 1\n"), 40);
  put(on, NOT_UTF8, 900);
  symlinkSync("../nowhere", join(on.content, "dangling"));
  symlinkSync(NOT_UTF8, join(on.content, "to-bytes"));
  linkSync(join(on.content, "uploads/of 513 bytes"), join(on.content, "z-hard"));
}

beforeAll(async () => {
  await using on = await makeSite();
  fillSite(on);
  const how = { frameBytes: 8_192, dump: DUMP };
  const first = await packTo(join(on.dir, "first.tar.zst"), on, how);
  put(on, Buffer.from("added later"), 5_000);
  const second = await packTo(join(on.dir, "second.tar.zst"), on, {
    ...how,
    previous: first,
    racyWindowNs: 0n,
  });
  expect(second.plan.copied.bytes).toBeGreaterThan(0);
  contents.set("wp-config.php", await readFile(join(on.site, "wp-config.php")));
  contents.set("database.sql", Buffer.from(DUMP));
  object = await readFile(second.archive);
  archive = readArchive(object);
  const seekTable = object.length - (8 * object.readUInt32LE(object.length - 9) + 17);
  const trailer = seekTable - 80;
  regions = { seekTable, trailer, index: Number(object.readBigUInt64LE(trailer + 8 + 16)) };
});

function damaged(at: number, mask: number): Buffer {
  const copy = Buffer.from(object);
  copy.writeUInt8(copy.readUInt8(at) ^ mask, at);
  return copy;
}

/** The rule that the reader says is broken, or "none". */
function brokenRule(bytes: Uint8Array, trusted?: string): string {
  try {
    readArchive(bytes, trusted).verify();
    return "none";
  } catch (error) {
    return error instanceof Error ? error.message : "not an Error";
  }
}

const flip = fc.record({ at: fc.nat(1_000_000), mask: fc.integer({ min: 1, max: 255 }) });

describe("a reader written from docs/FORMAT.md alone", () => {
  it("imports nothing of ours", async () => {
    for (const file of readdirSync(import.meta.dirname).filter((name) => !name.endsWith(".test.ts"))) {
      const source = await readFile(join(import.meta.dirname, file), "utf8");
      const imported = [...source.matchAll(/(?:from |import |import\()"([^"]+)"/g)].map((match) => match[1]);
      expect(imported.length).toBeGreaterThan(0);
      expect(imported.filter((from) => !/^node:|^\.\/spec-[a-z]+\.ts$/.test(from ?? ""))).toEqual([]);
    }
  });

  it("reads an archive of the product, part of it copied from the one before", () => {
    expect(() => archive.verify()).not.toThrow();
    expect(archive.frames.length).toBeGreaterThan(5);
    const names = archive.entries.map(({ type, name }) => `${type} ${name.toString("latin1")}`);
    const files = names.filter((name) => name.startsWith("f ")).map((name) => name.slice(2));
    const hard = archive.entries.filter(({ type }) => type === "h");
    expect([...files, ...hard.map(({ name }) => name.toString("latin1"))].toSorted()).toEqual(
      [...contents.keys(), "wp-content/z-hard"].toSorted(),
    );
    expect(names.filter((name) => name.startsWith("d "))).toHaveLength(5);
    const target = archive.entries.find(({ name }) => name.toString() === "wp-content/to-bytes");
    expect(target).toMatchObject({ type: "l", link: NOT_UTF8 });
    expect(archive.listing).toHaveLength(archive.header.entries);
    expect(archive.listing.join("\n")).toContain("wp-content/dangling -> ../nowhere");
  });

  it("gives every file's bytes, by names that are UTF-8 and names that are not", () => {
    for (const [name, content] of contents) {
      expect(archive.readFile(Buffer.from(name, "latin1")).equals(content), name).toBe(true);
    }
    const [one, other] = ["wp-content/z-hard", "wp-content/uploads/of 513 bytes"];
    expect(archive.readFile(one).equals(archive.readFile(other))).toBe(true);
    expect(() => archive.readFile("wp-content/uploads")).toThrow("no file");
    expect(() => archive.readFile("wp-content/dangling")).toThrow("no file");
  });

  it("touches only the frames that hold the file", () => {
    const name = "wp-content/uploads/2026/spans frames.bin";
    const at = archive.entries.findIndex((entry) => entry.name.toString() === name);
    const from = archive.entries[at]?.tarOffset ?? Number.NaN;
    const to = archive.entries[at + 1]?.tarOffset ?? archive.header.entries_end;
    const holds = archive.frames.filter(
      (frame) => frame.tarOffset < to && frame.tarOffset + frame.tarBytes > from,
    );
    expect(holds.length).toBeGreaterThan(1);
    const others = Buffer.from(object);
    for (const { offset, stored } of archive.frames.filter((frame) => !holds.includes(frame))) {
      others.fill(0xaa, offset, offset + stored);
    }
    expect(
      readArchive(others)
        .readFile(name)
        .equals(contents.get(name) ?? Buffer.alloc(0)),
    ).toBe(true);
    for (const { offset } of holds) {
      expect(() => readArchive(damaged(offset + 6, 1)).readFile(name)).toThrow(/SHA-256 of the frame/);
    }
  });
});

describe("damage", () => {
  it("in any data frame is found by that frame's SHA-256", () => {
    fc.assert(
      fc.property(flip, ({ at, mask }) => {
        expect(brokenRule(damaged(at % regions.index, mask))).toMatch(/SHA-256 of the frame at/);
      }),
    );
    for (const { offset, stored } of archive.frames) {
      expect(brokenRule(damaged(offset, 0x80))).toContain(`SHA-256 of the frame at ${offset}`);
      expect(brokenRule(damaged(offset + stored - 1, 1))).toContain(`SHA-256 of the frame at ${offset}`);
    }
  });

  it("anywhere in the index is found by sha256_index, before anything is decompressed", () => {
    for (let at = regions.index; at < regions.trailer; at++) {
      expect(brokenRule(damaged(at, 1 << (at % 8)))).toContain("sha256_index of the trailer");
    }
  });

  it("in any bit of the trailer or the seek table is found", () => {
    for (let at = regions.trailer; at < object.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        expect(brokenRule(damaged(at, 1 << bit)), `byte ${at}, bit ${bit}`).toMatch(/^docs\/FORMAT.md: /);
      }
    }
  });

  it("by cutting at either end, or by more bytes at either end, is found", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (at) => {
        const bytes = at % object.length;
        expect(brokenRule(object.subarray(0, bytes))).toMatch(/^docs\/FORMAT.md: /);
        expect(brokenRule(object.subarray(object.length - bytes))).toMatch(/^docs\/FORMAT.md: /);
      }),
    );
    for (let less = 1; less <= 200; less++) expect(brokenRule(object.subarray(0, -less))).not.toBe("none");
    expect(brokenRule(Buffer.concat([object, Buffer.alloc(1)]))).toContain("seekable magic");
    expect(brokenRule(Buffer.concat([Buffer.alloc(1), object]))).toContain("add up");
  });

  it("that a forger has covered in the trailer is found by the record's sha256_index", () => {
    const trusted = object.toString("hex", regions.trailer + 48, regions.trailer + 80);
    expect(brokenRule(object, trusted)).toBe("none");
    const forged = damaged(regions.trailer - 1, 1);
    createHash("sha256")
      .update(forged.subarray(regions.index, regions.trailer))
      .digest()
      .copy(forged, regions.trailer + 48);
    expect(brokenRule(forged, trusted)).toContain("sha256_index of the record");
  });
});

/** The lines of all index frames of the archive. */
function indexLines(): string[] {
  const lines: string[] = [];
  for (let at = regions.index; at < regions.trailer; ) {
    const end = at + 8 + object.readUInt32LE(at + 4);
    lines.push(
      ...zstdDecompressSync(object.subarray(at + 8, end))
        .toString()
        .split("\n")
        .slice(0, -1),
    );
    at = end;
  }
  return lines;
}

/** The same data frames under another index, one index frame for each item, with everything after it redone. */
function withIndex(contentOfFrames: readonly Buffer[]): Buffer {
  const frames = contentOfFrames.map((content) => {
    const head = Buffer.from("5b2a4d1800000000", "hex");
    head.writeUInt32LE(content.length, 4);
    return Buffer.concat([head, content]);
  });
  const index = Buffer.concat(frames);
  const place = { indexOffset: regions.index, indexBytes: index.length, tarBytes: archive.header.tar_bytes };
  const trailer = encodeTrailer({
    ...place,
    indexSha256: createHash("sha256").update(index).digest("hex"),
  });
  const rows = [
    ...archive.frames.map(({ stored, tarBytes }) => [stored, tarBytes] as const),
    ...[...frames, trailer].map(({ length }) => [length, 0] as const),
  ].map(([compressedBytes, decompressedBytes]) => ({ compressedBytes, decompressedBytes }));
  return Buffer.concat([object.subarray(0, regions.index), index, trailer, encodeSeekTable(rows)]);
}

const packed = (lines: readonly string[]): Buffer => zstdCompressSync(`${lines.join("\n")}\n`);

describe("an index whose hashes fit", () => {
  it("may come in several frames", () => {
    const lines = indexLines();
    const blocks = [lines.slice(0, 1), lines.slice(1, 9), lines.slice(9)].map(packed);
    expect(brokenRule(withIndex(blocks))).toBe("none");
    expect(brokenRule(withIndex([packed(lines), ...blocks]))).not.toBe("none");
  });

  it.each<[fault: string, pattern: RegExp, by: string]>([
    ["a name that climbs out", /"wp-content\/added later"/, '"wp-content/../added later"'],
    ["an absolute name", /"wp-content\/added later"/, '"/wp-content/added later"'],
    ["base64 for a name that is UTF-8", /"wp-content\/added later"/, '["YQ=="]'],
    ["an unknown type", /^\["f"/m, '["x"'],
    ["an offset inside a block", /("wp-content\/added later",\d+),/, "$11,"],
    ["an unknown version", /"version":1/, '"version":2'],
    ["a gap between frames", /^\[0,/m, "[1,"],
    ["a flag that does not exist", /,0\]$/m, ",4]"],
    ["one line less than counted", /\n[^\n]*$/, ""],
  ])("is refused by both readers: %s", (_, pattern, by) => {
    const right = indexLines().join("\n");
    const wrong = right.replace(pattern, by);
    expect(wrong).not.toBe(right);
    expect(brokenRule(withIndex([packed([wrong])]))).toMatch(/^docs\/FORMAT.md: /);
    const decodeAll = (text: string): void => {
      const ignore = (): undefined => undefined;
      const decoder = createIndexDecoder({ header: ignore, frame: ignore, entry: ignore });
      decoder.write(Buffer.from(`${text}\n`));
      decoder.end();
    };
    expect(() => decodeAll(right)).not.toThrow();
    expect(() => decodeAll(wrong)).toThrow();
  });

  it.each<[fault: string, pattern: RegExp, by: string, rule: string]>([
    ["another name than the tar", /"wp-content\/added later"/, '"wp-content/added earlier"', "name in tar"],
    ["another size than the tar", /("wp-content\/added later",\d+),5000,/, "$1,4999,", "size in tar"],
    ["another SHA-256 of the dump", /("bytes":\d+,"sha256":")\w{8}/, "$100000000", "SHA-256 of the dump"],
    ["a name twice", /"wp-content\/added later"/, '"wp-content/dangling"', "no two entries"],
  ])("is found out by reading everything: %s", (_, pattern, by, rule) => {
    const right = indexLines().join("\n");
    const wrong = right.replace(pattern, by);
    expect(wrong).not.toBe(right);
    expect(brokenRule(withIndex([packed([wrong])]))).toContain(rule);
  });

  it("never decompresses to more than 4 MiB, and has nothing after its zstd frame", () => {
    const lines = packed(indexLines());
    expect(brokenRule(withIndex([zstdCompressSync(Buffer.alloc(64 * 2 ** 20, "\n"))]))).toContain("4194304");
    expect(brokenRule(withIndex([Buffer.concat([lines, lines])]))).toContain("one zstd frame");
  });
});

describe("the seek table", () => {
  it("has only the descriptor bits of the official format: 7 means checksums, 0 and 1 mean nothing", () => {
    for (const bit of [0, 1]) {
      const unused = damaged(object.length - 5, 1 << bit);
      expect(readArchive(unused).readFile("database.sql").toString()).toBe(DUMP);
      expect(brokenRule(unused)).toContain("descriptor is 0");
    }
    for (const bit of [2, 3, 4, 5, 6, 7]) {
      expect(() => readArchive(damaged(object.length - 5, 1 << bit))).toThrow("docs/FORMAT.md");
    }
  });

  it("may have checksums, which other writers of the official format add", () => {
    const count = object.readUInt32LE(object.length - 9);
    const rows = Array.from({ length: count }, (_, row) => {
      const at = regions.seekTable + 8 + 8 * row;
      return Buffer.concat([object.subarray(at, at + 8), noise(row, 4)]);
    });
    const head = Buffer.from(object.subarray(regions.seekTable, regions.seekTable + 8));
    head.writeUInt32LE(12 * count + 9, 4);
    const footer = Buffer.from(object.subarray(-9));
    footer.writeUInt8(0x80, 4);
    const data = object.subarray(0, regions.seekTable);
    expect(brokenRule(Buffer.concat([data, head, ...rows, footer]))).toBe("none");
  });
});
