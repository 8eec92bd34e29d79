// docs/FORMAT.md is enough to write a reader: one that was written from it alone reads what the product packs, and
// finds every damage that the page says can be found.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  archive,
  brokenRule,
  contents,
  DUMP,
  damaged,
  NOT_UTF8,
  noise,
  object,
  regions,
} from "./sample-archive.ts";
import { readArchive } from "./spec-reader.ts";

const flip = fc.record({ at: fc.nat(1_000_000), mask: fc.integer({ min: 1, max: 255 }) });

describe("a reader written from docs/FORMAT.md alone", () => {
  it("imports nothing of ours", async () => {
    for (const file of readdirSync(import.meta.dirname).filter((name) => /^spec-[a-z]+\.ts$/.test(name))) {
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
