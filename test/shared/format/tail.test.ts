import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeSeekTable, type SeekFrame } from "#shared/format/seek-table.ts";
import {
  checkTrailer,
  locateArchiveParts,
  MAX_INDEX_FRAMES,
  missingRange,
  TAIL_BYTES,
} from "#shared/format/tail.ts";
import { decodeTrailer, encodeTrailer, TRAILER_FRAME_BYTES } from "#shared/format/trailer.ts";

const corrupt = expect.objectContaining({ code: "archive_corrupt" }) as unknown as Error;
const TRAILER_ENTRY = { compressedBytes: TRAILER_FRAME_BYTES, decompressedBytes: 0 };

/** An object with nothing but a seek table in the right place. */
function objectOf(frames: readonly SeekFrame[]): Buffer {
  const before = frames.reduce((sum, frame) => sum + frame.compressedBytes, 0);
  return Buffer.concat([Buffer.alloc(before), encodeSeekTable(frames)]);
}

function locate(object: Uint8Array): ReturnType<typeof locateArchiveParts> {
  return locateArchiveParts(object.subarray(-TAIL_BYTES), object.length);
}

const dataFrame = fc.record({
  compressedBytes: fc.integer({ min: 1, max: 9000 }),
  decompressedBytes: fc.integer({ min: 1, max: 9000 }),
});
const indexFrame = fc.record({
  compressedBytes: fc.integer({ min: 9, max: 50_000 }),
  decompressedBytes: fc.constant(0),
});

it("finds index, trailer and seek table from the tail, and what is still to be read", () => {
  fc.assert(
    fc.property(
      fc.array(dataFrame, { minLength: 1, maxLength: 40 }),
      fc.array(indexFrame, { minLength: 1, maxLength: 6 }),
      (data, index) => {
        const object = objectOf([...data, ...index, TRAILER_ENTRY]);
        const layout = locate(object);
        const indexOffset = data.reduce((sum, frame) => sum + frame.compressedBytes, 0);
        const indexBytes = index.reduce((sum, frame) => sum + frame.compressedBytes, 0);
        expect(layout.dataFrames).toBe(data.length);
        expect(layout.index).toEqual({ offset: indexOffset, bytes: indexBytes });
        expect(layout.trailer).toEqual({ offset: indexOffset + indexBytes, bytes: TRAILER_FRAME_BYTES });
        expect(layout.seekTable.offset + layout.seekTable.bytes).toBe(object.length);
        const tailBytes = Math.min(object.length, TAIL_BYTES);
        const missing = missingRange(layout, tailBytes);
        expect(missing?.bytes ?? 0).toBe(Math.max(0, object.length - tailBytes - indexOffset));
        if (missing !== undefined) expect(missing.offset).toBe(indexOffset);
      },
    ),
  );
});

it("needs no more than the tail when the seek table alone is larger than it", () => {
  const data = Array.from({ length: 20_000 }, () => ({ compressedBytes: 3, decompressedBytes: 4 }));
  const index = Array.from({ length: MAX_INDEX_FRAMES }, () => ({
    compressedBytes: 9,
    decompressedBytes: 0,
  }));
  const layout = locate(objectOf([...data, ...index, TRAILER_ENTRY]));
  expect(layout.index).toEqual({ offset: 60_000, bytes: 9 * MAX_INDEX_FRAMES });
});

it.each([
  ["no index", [{ compressedBytes: 5, decompressedBytes: 5 }, TRAILER_ENTRY]],
  ["no data", [{ compressedBytes: 9, decompressedBytes: 0 }, TRAILER_ENTRY]],
  ["no trailer", [{ compressedBytes: 5, decompressedBytes: 5 }]],
  ["a trailer of another length", [{ compressedBytes: 90, decompressedBytes: 0 }]],
  ["too many index frames", Array.from({ length: MAX_INDEX_FRAMES + 2 }, () => TRAILER_ENTRY)],
])("refuses an object with %s", (_what, frames) => {
  expect(() => locate(objectOf(frames))).toThrow(corrupt);
});

it("refuses a table that claims more than the object holds, and any truncation", () => {
  const frames = [
    { compressedBytes: 5, decompressedBytes: 5 },
    { compressedBytes: 99, decompressedBytes: 0 },
    TRAILER_ENTRY,
  ];
  expect(() => locate(encodeSeekTable(frames))).toThrow(corrupt);
  const object = objectOf(frames);
  for (let length = 0; length < object.length; length += 1) {
    expect(() => locate(object.subarray(0, length))).toThrow(corrupt);
  }
});

const SAMPLE = {
  indexOffset: 5e12,
  indexBytes: 1234,
  tarBytes: 2 ** 50,
  indexSha256: "0123456789abcdef".repeat(4),
};

it("writes the trailer's bytes as docs/FORMAT.md describes them", () => {
  const bytes = Buffer.from(encodeTrailer({ ...SAMPLE, indexOffset: 0x0102 }));
  expect(bytes.toString("hex")).toBe(
    [
      "5c2a4d18",
      "48000000",
      "4241434b5550440a",
      "01000000",
      "00000000",
      "0201000000000000",
      "d204000000000000",
      "0000000000000400",
      "0123456789abcdef".repeat(4),
    ].join(""),
  );
});

it("reads its trailer and no other", () => {
  const frame = encodeTrailer(SAMPLE);
  expect(decodeTrailer(frame)).toEqual(SAMPLE);
  for (const at of [0, 4, 8, 16, 20]) {
    const broken = Buffer.from(frame);
    broken[at] = (broken[at] ?? 0) ^ 0x40;
    expect(() => decodeTrailer(broken)).toThrow(corrupt);
  }
  expect(() => decodeTrailer(frame.subarray(0, 40))).toThrow(corrupt);
});

it("notices when trailer and seek table name different places", () => {
  const layout = locate(
    objectOf([
      { compressedBytes: 5, decompressedBytes: 5 },
      { compressedBytes: 99, decompressedBytes: 0 },
      TRAILER_ENTRY,
    ]),
  );
  expect(() => checkTrailer({ ...SAMPLE, indexOffset: 5, indexBytes: 99 }, layout)).not.toThrow();
  expect(() => checkTrailer({ ...SAMPLE, indexOffset: 6, indexBytes: 99 }, layout)).toThrow(corrupt);
});
