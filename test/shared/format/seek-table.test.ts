import fc from "fast-check";
import { expect, it } from "vitest";
import {
  decodeSeekTable,
  encodeSeekTable,
  readSeekTableFooter,
  seekTableBytes,
} from "#shared/format/seek-table.ts";

const frame = fc.record({
  compressedBytes: fc.integer({ min: 1, max: 0xffff_ffff }),
  decompressedBytes: fc.integer({ min: 0, max: 0x4000_0000 }),
});

it("writes the bytes that the official specification describes", () => {
  const table = encodeSeekTable([
    { compressedBytes: 0x01020304, decompressedBytes: 0x00400000 },
    { compressedBytes: 80, decompressedBytes: 0 },
  ]);
  const bytesBySpec = [
    "5e2a4d18", // Skippable_Magic_Number 0x184D2A5E, little-endian
    "19000000", // Frame_Size: 2 entries of 8 and a footer of 9
    "04030201", // Compressed_Size
    "00004000", // Decompressed_Size
    "50000000",
    "00000000",
    "02000000", // Number_Of_Frames
    "00", // Seek_Table_Descriptor: no checksums
    "b1ea928f", // Seekable_Magic_Number 0x8F92EAB1
  ];
  expect(Buffer.from(table).toString("hex")).toBe(bytesBySpec.join(""));
});

it("reads a table with checksums, as other writers make it", () => {
  const bytes = "5e2a4d18150000000a00000014000000efbeadde0100000080b1ea928f";
  expect(decodeSeekTable(Buffer.from(bytes, "hex"))).toEqual([
    { compressedBytes: 10, decompressedBytes: 20 },
  ]);
});

it("reads what it wrote", () => {
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      const table = encodeSeekTable(frames);
      expect(table.length).toBe(seekTableBytes(frames.length));
      expect(decodeSeekTable(table)).toEqual(frames);
    }),
  );
});

it("answers any bytes with frames or archive_corrupt, and never believes a frame count", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, withMagic) => {
      const bytes = withMagic ? Buffer.concat([noise, Buffer.from("ffffffff00b1ea928f", "hex")]) : noise;
      expect(() => decodeSeekTable(bytes)).toThrow(expect.objectContaining({ code: "archive_corrupt" }));
    }),
  );
  const reserved = Buffer.from("5e2a4d180900000000000000" + "04" + "b1ea928f", "hex");
  expect(() => readSeekTableFooter(reserved)).toThrow("reserved bits");
});

it("refuses to write what the format cannot say", () => {
  expect(() => encodeSeekTable([{ compressedBytes: 2 ** 32, decompressedBytes: 1 }])).toThrow(RangeError);
  expect(() => encodeSeekTable([{ compressedBytes: 1, decompressedBytes: 2 ** 31 }])).toThrow(RangeError);
});
