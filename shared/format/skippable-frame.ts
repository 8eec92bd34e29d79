// zstd skippable frames (RFC 8878, section 3.1.2): how an archive carries what `zstd -d` must not see.
import { corrupt } from "./corrupt.ts";

/** Frame magics of format version 1; docs/FORMAT.md says why these two of the sixteen. */
export const INDEX_FRAME_MAGIC = 0x184d2a5b;
export const TRAILER_FRAME_MAGIC = 0x184d2a5c;
export const SEEK_TABLE_FRAME_MAGIC = 0x184d2a5e;

export const SKIPPABLE_HEADER_BYTES = 8;
const MAX_CONTENT_BYTES = 0xffff_ffff;

/** `content` behind the eight bytes that make it a skippable frame. */
export function skippableFrame(magic: number, content: Uint8Array): Uint8Array {
  if (content.length > MAX_CONTENT_BYTES) {
    throw new RangeError(`a skippable frame cannot hold ${content.length} bytes`);
  }
  const frame = new Uint8Array(SKIPPABLE_HEADER_BYTES + content.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, content.length, true);
  frame.set(content, SKIPPABLE_HEADER_BYTES);
  return frame;
}

/** The content's length, read from a frame's first eight bytes; anything but a frame of that magic is corrupt. */
export function skippableContentBytes(bytes: Uint8Array, magic: number, what: string): number {
  if (bytes.length < SKIPPABLE_HEADER_BYTES) throw corrupt(`${what} is cut off`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic) throw corrupt(`${what} does not start with its frame magic`);
  return view.getUint32(4, true);
}

/** The content of `frame`, which must be exactly one frame of that magic. */
export function skippableContent(frame: Uint8Array, magic: number, what: string): Uint8Array {
  const contentBytes = skippableContentBytes(frame, magic, what);
  if (contentBytes !== frame.length - SKIPPABLE_HEADER_BYTES) throw corrupt(`${what} has the wrong length`);
  return frame.subarray(SKIPPABLE_HEADER_BYTES);
}
