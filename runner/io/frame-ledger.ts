// Keeps the index's record of every data frame as the archive grows: where it lies, in the object and in the tar, and
// what it hashes to.
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { CompressedFrame } from "./compress.ts";
import { sha256OfPieces } from "./sha256-of-pieces.ts";

export interface FrameLedger {
  add(frame: CompressedFrame): FrameRecord;
  records(): readonly FrameRecord[];
  /** Where the next frame will begin in the object. */
  offset(): number;
  tarOffset(): number;
}

/** `copied`: the records of what comes before, from the object's beginning. */
export function createFrameLedger(copied: readonly FrameRecord[]): FrameLedger {
  const records = [...copied];
  const last = copied.at(-1);
  let offset = last === undefined ? 0 : last.offset + last.compressedBytes;
  let tarOffset = last === undefined ? 0 : last.tarOffset + last.tarBytes;
  return {
    add({ pieces, bytes, rawBytes, sha256 = sha256OfPieces(pieces) }) {
      const record = { offset, compressedBytes: bytes, tarOffset, tarBytes: rawBytes, sha256 };
      records.push(record);
      offset += bytes;
      tarOffset += rawBytes;
      return record;
    },
    records: () => records,
    offset: () => offset,
    tarOffset: () => tarOffset,
  };
}
