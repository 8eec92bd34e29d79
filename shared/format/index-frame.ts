// One line of the index per data frame: where it lies in the object and in the tar, and what it must hash to.
import { corrupt } from "./corrupt.ts";
import { integer } from "./index-entry.ts";
import { MAX_FRAME_TAR_BYTES } from "./seek-table.ts";

/** One data frame of the object. */
export interface FrameRecord {
  readonly offset: number;
  readonly compressedBytes: number;
  readonly tarOffset: number;
  readonly tarBytes: number;
  /** Lower-case hex, of the compressed frame as stored. */
  readonly sha256: string;
}

/** The line without its newline. */
export function encodeFrame(frame: FrameRecord): string {
  return `[${frame.offset},${frame.compressedBytes},${frame.tarOffset},${frame.tarBytes},"${frame.sha256}"]`;
}

const SHA256 = /^[0-9a-f]{64}$/;

/** `line` is one parsed line. */
export function decodeFrame(line: unknown): FrameRecord {
  if (!Array.isArray(line) || line.length !== 5)
    throw corrupt("A frame line of the index is not five fields");
  const [offset, compressedBytes, tarOffset, tarBytes, sha256] = line as readonly unknown[];
  if (typeof sha256 !== "string" || !SHA256.test(sha256)) throw corrupt("A frame has no SHA-256");
  return {
    offset: integer(offset, Number.MAX_SAFE_INTEGER, "frame offset"),
    compressedBytes: integer(compressedBytes, 0xffff_ffff, "frame length"),
    tarOffset: integer(tarOffset, Number.MAX_SAFE_INTEGER, "frame tar offset"),
    tarBytes: integer(tarBytes, MAX_FRAME_TAR_BYTES, "frame tar length"),
    sha256,
  };
}
