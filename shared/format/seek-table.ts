// The seek table of the official zstd seekable format (0.1.0: facebook/zstd, contrib/seekable_format/
// zstd_seekable_compression_format.md), so that any seekable zstd reader can jump within our archives.
import { corrupt } from "./corrupt.ts";
import {
  SEEK_TABLE_FRAME_MAGIC,
  SKIPPABLE_HEADER_BYTES,
  skippableContent,
  skippableFrame,
} from "./skippable-frame.ts";

const SEEKABLE_MAGIC = 0x8f92_eab1;
export const SEEK_TABLE_FOOTER_BYTES = 9;
const CHECKSUM_FLAG = 0x80;
const RESERVED_BITS = 0x7c;
/** Limits of the reference implementation (zstd_seekable.h), which refuses more. */
export const MAX_SEEK_FRAMES = 0x800_0000;
export const MAX_FRAME_TAR_BYTES = 0x4000_0000;
const MAX_U32 = 0xffff_ffff;

/** One frame of the object, in object order; skippable frames have `decompressedBytes` 0. */
export interface SeekFrame {
  readonly compressedBytes: number;
  readonly decompressedBytes: number;
}

export interface SeekTableFooter {
  readonly frames: number;
  /** 8, or 12 when another writer stored checksums. */
  readonly entryBytes: number;
  /** Of the whole skippable frame, its header included. */
  readonly tableBytes: number;
}

/** What a table of that many frames, as we write it, adds to an object. */
export function seekTableBytes(frames: number): number {
  return SKIPPABLE_HEADER_BYTES + frames * 8 + SEEK_TABLE_FOOTER_BYTES;
}

/** The complete skippable frame that ends an object. Without checksums: the index has stronger ones. */
export function encodeSeekTable(frames: readonly SeekFrame[]): Uint8Array {
  if (frames.length > MAX_SEEK_FRAMES) throw new RangeError(`${frames.length} frames are too many`);
  const content = new Uint8Array(frames.length * 8 + SEEK_TABLE_FOOTER_BYTES);
  const view = new DataView(content.buffer);
  let at = 0;
  for (const frame of frames) {
    if (!(frame.compressedBytes > 0 && frame.compressedBytes <= MAX_U32)) {
      throw new RangeError(`a frame cannot be ${frame.compressedBytes} bytes`);
    }
    if (!(frame.decompressedBytes >= 0 && frame.decompressedBytes <= MAX_FRAME_TAR_BYTES)) {
      throw new RangeError(`a frame cannot hold ${frame.decompressedBytes} bytes`);
    }
    view.setUint32(at, frame.compressedBytes, true);
    view.setUint32(at + 4, frame.decompressedBytes, true);
    at += 8;
  }
  view.setUint32(at, frames.length, true);
  view.setUint8(at + 4, 0);
  view.setUint32(at + 5, SEEKABLE_MAGIC, true);
  return skippableFrame(SEEK_TABLE_FRAME_MAGIC, content);
}

/** The footer at the end of `tail`, the last bytes of an object of any size. */
export function readSeekTableFooter(tail: Uint8Array): SeekTableFooter {
  if (tail.length < SEEK_TABLE_FOOTER_BYTES) throw corrupt("The object is too short to be an archive");
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const at = tail.length - SEEK_TABLE_FOOTER_BYTES;
  if (view.getUint32(at + 5, true) !== SEEKABLE_MAGIC) {
    throw corrupt("The object does not end with a zstd seek table: it is cut off or no archive");
  }
  const descriptor = view.getUint8(at + 4);
  if ((descriptor & RESERVED_BITS) !== 0) throw corrupt("The seek table uses reserved bits");
  const frames = view.getUint32(at, true);
  if (frames > MAX_SEEK_FRAMES) throw corrupt(`The seek table claims ${frames} frames`);
  const entryBytes = (descriptor & CHECKSUM_FLAG) === 0 ? 8 : 12;
  const tableBytes = SKIPPABLE_HEADER_BYTES + frames * entryBytes + SEEK_TABLE_FOOTER_BYTES;
  return { frames, entryBytes, tableBytes };
}

/** Every frame of the object; `table` is exactly the seek table's skippable frame. */
export function decodeSeekTable(table: Uint8Array): SeekFrame[] {
  const footer = readSeekTableFooter(table);
  if (footer.tableBytes !== table.length) throw corrupt("The seek table's length and frame count disagree");
  const content = skippableContent(table, SEEK_TABLE_FRAME_MAGIC, "The seek table");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  return Array.from({ length: footer.frames }, (_, index) => ({
    compressedBytes: view.getUint32(index * footer.entryBytes, true),
    decompressedBytes: view.getUint32(index * footer.entryBytes + 4, true),
  }));
}
