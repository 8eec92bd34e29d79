// One archive packed by the product, the second of its site so that part of it is copied, and ways to spoil it.
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { encodeSeekTable } from "#shared/format/seek-table.ts";
import { encodeTrailer } from "#shared/format/trailer.ts";
import { makeSite, packTo, type SiteOnDisk } from "#test/runner/io/pack-to-tree.ts";
import { readArchive, type SpecArchive } from "./spec-reader.ts";

export const DUMP = "-- the whole database\n".repeat(300);
export const NOT_UTF8 = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0xff]);

interface Sample {
  readonly object: Buffer;
  /** Where index, trailer and seek table start, found without the reader. */
  readonly regions: { readonly index: number; readonly trailer: number; readonly seekTable: number };
}

/** What is in the site, by name; one character per byte of the name. */
export const contents = new Map<string, Buffer>();
export const { object, regions }: Sample = await packSample();
export const archive: SpecArchive = readArchive(object);

/** Bytes that do not compress, the same in every run. */
export function noise(seed: number, bytes: number): Buffer {
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

async function packSample(): Promise<Sample> {
  await using on = await makeSite();
  fillSite(on);
  const how = { frameBytes: 8_192, dump: DUMP, racyWindowNs: 0n };
  const first = await packTo(join(on.dir, "first.tar.zst"), on, how);
  put(on, Buffer.from("added later"), 5_000);
  const second = await packTo(join(on.dir, "second.tar.zst"), on, {
    ...how,
    previous: first,
  });
  if (second.plan.copied.bytes === 0) throw new Error("nothing was copied from the first archive");
  contents.set("wp-config.php", await readFile(join(on.site, "wp-config.php")));
  contents.set("database.sql", Buffer.from(DUMP));
  const object = await readFile(second.archive);
  const seekTable = object.length - (8 * object.readUInt32LE(object.length - 9) + 17);
  const trailer = seekTable - 80;
  const regions = { seekTable, trailer, index: Number(object.readBigUInt64LE(trailer + 8 + 16)) };
  return { object, regions };
}

export function damaged(at: number, mask: number): Buffer {
  const copy = Buffer.from(object);
  copy.writeUInt8(copy.readUInt8(at) ^ mask, at);
  return copy;
}

/** The rule that the reader says is broken, or "none". */
export function brokenRule(bytes: Uint8Array, trusted?: string): string {
  try {
    readArchive(bytes, trusted).verify();
    return "none";
  } catch (error) {
    return error instanceof Error ? error.message : "not an Error";
  }
}

/** The lines of all index frames of the archive. */
export function indexLines(): string[] {
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
export function withIndex(contentOfFrames: readonly Buffer[]): Buffer {
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

export const packed = (lines: readonly string[]): Buffer => zstdCompressSync(`${lines.join("\n")}\n`);
