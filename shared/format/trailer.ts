// The fixed-size frame between index and seek table: says which format version this is and what the index's
// bytes must hash to, before a reader trusts anything else.
import { corrupt } from "./corrupt.ts";
import {
  SKIPPABLE_HEADER_BYTES,
  skippableContent,
  skippableFrame,
  TRAILER_FRAME_MAGIC,
} from "./skippable-frame.ts";

export const FORMAT_VERSION = 1;
const SIGNATURE = "BACKUPD\n";
const CONTENT_BYTES = 72;
export const TRAILER_FRAME_BYTES: number = SKIPPABLE_HEADER_BYTES + CONTENT_BYTES;

export interface Trailer {
  /** Where the first index frame starts in the object. */
  readonly indexOffset: number;
  /** Of all index frames together, their eight-byte headers included. */
  readonly indexBytes: number;
  /** Length of the decompressed tar. */
  readonly tarBytes: number;
  /** Lower-case hex SHA-256 of the object's bytes [indexOffset, indexOffset + indexBytes). */
  readonly indexSha256: string;
}

export function encodeTrailer(trailer: Trailer): Uint8Array {
  const content = new Uint8Array(CONTENT_BYTES);
  const view = new DataView(content.buffer);
  content.set(Buffer.from(SIGNATURE, "latin1"), 0);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setBigUint64(16, BigInt(trailer.indexOffset), true);
  view.setBigUint64(24, BigInt(trailer.indexBytes), true);
  view.setBigUint64(32, BigInt(trailer.tarBytes), true);
  const hash = Buffer.from(trailer.indexSha256, "hex");
  if (hash.length !== 32) throw new RangeError("indexSha256 must be 64 hex digits");
  content.set(hash, 40);
  return skippableFrame(TRAILER_FRAME_MAGIC, content);
}

/** `frame` is exactly the trailer's skippable frame. A version we do not know is refused here. */
export function decodeTrailer(frame: Uint8Array): Trailer {
  const content = skippableContent(frame, TRAILER_FRAME_MAGIC, "The trailer");
  if (content.length !== CONTENT_BYTES) throw corrupt("The trailer has the wrong length");
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (Buffer.from(content.subarray(0, 8)).toString("latin1") !== SIGNATURE) {
    throw corrupt("The trailer does not carry Backupd's signature");
  }
  const version = view.getUint32(8, true);
  if (version !== FORMAT_VERSION) {
    throw corrupt(`The archive has format version ${version}; this program reads version ${FORMAT_VERSION}`);
  }
  if (view.getUint32(12, true) !== 0) throw corrupt("The trailer's reserved bytes are not zero");
  return {
    indexOffset: safeNumber(view.getBigUint64(16, true)),
    indexBytes: safeNumber(view.getBigUint64(24, true)),
    tarBytes: safeNumber(view.getBigUint64(32, true)),
    indexSha256: Buffer.from(content.subarray(40)).toString("hex"),
  };
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt("The trailer holds an impossible length");
  return Number(value);
}
