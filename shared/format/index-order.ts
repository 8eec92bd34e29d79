// The rules between the lines of an index: counts, and that frames and entries cover the tar without gap or overlap.
import { corrupt } from "./corrupt.ts";
import type { IndexEntry } from "./index-entry.ts";
import type { FrameRecord } from "./index-frame.ts";
import type { IndexHeader } from "./index-header.ts";

export interface OrderCheck {
  readonly expects: () => "header" | "frame" | "entry" | "end";
  readonly header: (header: IndexHeader) => IndexHeader;
  readonly frame: (frame: FrameRecord) => FrameRecord;
  readonly entry: (entry: IndexEntry) => IndexEntry;
  readonly end: () => void;
}

export function createOrderCheck(): OrderCheck {
  let head: IndexHeader | undefined;
  let framesLeft = 0;
  let entriesLeft = 0;
  let objectEnd = 0;
  let tarEnd = 0;
  /** The next entry starts at 0 if it is the first, else not before this. */
  let entryEnd = 0;
  let first = true;
  return {
    expects: () => {
      if (head === undefined) return "header";
      if (framesLeft > 0) return "frame";
      return entriesLeft > 0 ? "entry" : "end";
    },
    header: (header) => {
      head = header;
      framesLeft = header.frames;
      entriesLeft = header.entries;
      return header;
    },
    frame: (frame) => {
      if (frame.offset !== objectEnd || frame.tarOffset !== tarEnd) throw corrupt("The frames leave a gap");
      if (frame.compressedBytes === 0 || frame.tarBytes === 0) throw corrupt("A frame is empty");
      objectEnd += frame.compressedBytes;
      tarEnd += frame.tarBytes;
      framesLeft -= 1;
      return frame;
    },
    entry: (entry) => {
      if (first ? entry.tarOffset !== 0 : entry.tarOffset < entryEnd)
        throw corrupt("Entries overlap in the tar");
      first = false;
      entryEnd = entry.tarOffset + 512 + Math.ceil(entry.size / 512) * 512;
      if (entryEnd > (head?.entries_end ?? 0)) throw corrupt("An entry ends after the tar's last one");
      entriesLeft -= 1;
      return entry;
    },
    end: () => {
      if (head === undefined || framesLeft > 0 || entriesLeft > 0) throw corrupt("The index is cut off");
      if (tarEnd !== head.tar_bytes) throw corrupt("The frames do not add up to the tar's length");
    },
  };
}
