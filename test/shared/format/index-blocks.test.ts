import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeIndexFrames, encodeIndexFrames, INDEX_BLOCK_BYTES } from "#shared/format/index-blocks.ts";

const compress = promisify(zstdCompress);
const decompress = (frame: Uint8Array, maxOutputLength: number): Promise<Uint8Array> =>
  promisify(zstdDecompress)(frame, { maxOutputLength });
const corrupt = expect.objectContaining({ code: "archive_corrupt" }) as unknown as Error;

async function collect(blocks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const block of blocks) all.push(block);
  return all;
}

async function encode(lines: readonly string[]): Promise<Buffer> {
  return Buffer.concat(await collect(encodeIndexFrames(lines, compress)));
}

async function decode(stored: Uint8Array, pieceBytes = 100): Promise<Buffer[]> {
  const pieces = Array.from({ length: Math.ceil(stored.length / pieceBytes) }, (_, n) =>
    stored.subarray(n * pieceBytes, (n + 1) * pieceBytes),
  );
  return (await collect(decodeIndexFrames(pieces, decompress))).map((block) => Buffer.from(block));
}

it("gives the lines back, whatever the pieces they come in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string()), fc.integer({ min: 1, max: 300 }), async (texts, pieceBytes) => {
      const lines = texts.map((text) => `${JSON.stringify(text)}\n`);
      const blocks = await decode(await encode(lines), pieceBytes);
      expect(Buffer.concat(blocks).toString()).toBe(lines.join(""));
    }),
  );
});

it("cuts a long index at line ends into blocks of a bounded size", async () => {
  const lines = Array.from({ length: 3000 }, (_, n) => `${String(n).padStart(999, "é")}\n`);
  const blocks = await decode(await encode(lines), 65_536);
  expect(blocks.length).toBeGreaterThan(4);
  expect(blocks.every((block) => block.length <= INDEX_BLOCK_BYTES && block.at(-1) === 10)).toBe(true);
});

it("refuses a cut, a wrong magic, a huge claim, noise and a bomb without unpacking it", async () => {
  const stored = await encode(['"line"\n']);
  const bombContent = await compress(Buffer.alloc(64 * 1024 ** 2));
  const bombHeader = Buffer.from("5b2a4d1800000000", "hex");
  bombHeader.writeUInt32LE(bombContent.length, 4);
  const broken = [
    stored.subarray(0, -1),
    stored.subarray(0, 5),
    Buffer.concat([Buffer.from("502a4d18", "hex"), stored.subarray(4)]),
    Buffer.from("5b2a4d18ffffffff", "hex"),
    Buffer.from("5b2a4d180400000001020304", "hex"),
    Buffer.concat([bombHeader, bombContent]),
  ];
  for (const bytes of broken) await expect(decode(bytes)).rejects.toThrow(corrupt);
});
