// The rules between the lines of an index that need no memory of earlier lines: counts, that frames and entries cover the
// tar without gap or overlap, and that the database is where the header says. docs/FORMAT.md, "Who checks what".
import { corrupt } from "./corrupt.ts";
import { nameFromText } from "./entry-name.ts";
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
  const database = createDatabaseCheck();
  return {
    expects: () => {
      if (head === undefined) return "header";
      if (framesLeft > 0) return "frame";
      return entriesLeft > 0 ? "entry" : "end";
    },
    header: (header) => {
      head = header;
      database.header(header);
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
      database.entry(entry);
      entryEnd = entry.tarOffset + 512 + Math.ceil(entry.size / 512) * 512;
      if (entryEnd > (head?.entries_end ?? 0)) throw corrupt("An entry ends after the tar's last one");
      entriesLeft -= 1;
      return entry;
    },
    end: () => {
      if (head === undefined || framesLeft > 0 || entriesLeft > 0) throw corrupt("The index is cut off");
      if (tarEnd !== head.tar_bytes) throw corrupt("The frames do not add up to the tar's length");
      if (first && head.entries_end !== 0)
        throw corrupt("The tar has something, and the index no entry for it");
      database.end(head);
    },
  };
}

interface DatabaseCheck {
  readonly header: (header: IndexHeader) => void;
  readonly entry: (entry: IndexEntry) => void;
  readonly end: (header: IndexHeader) => void;
}

/** The header's word for where the dump is must be that of the dump's own line, and of the line after it. */
function createDatabaseCheck(): DatabaseCheck {
  let database: IndexHeader["database"] = null;
  let name = "";
  let state: "before" | "within" | "after" = "before";
  const endAt = (tarOffset: number): void => {
    if (state !== "within" || database === null) return;
    if (tarOffset !== database.tar_offset + database.tar_bytes) throw corrupt("The database ends elsewhere");
    state = "after";
  };
  return {
    header: (header) => {
      database = header.database;
      name = nameFromText(database?.name ?? "");
    },
    entry: (entry) => {
      endAt(entry.tarOffset);
      if (database === null || entry.name !== name) return;
      const isThere = entry.type === "f" && entry.tarOffset === database.tar_offset;
      if (!isThere || entry.size !== database.bytes)
        throw corrupt("The database is not where the index says");
      state = "within";
    },
    end: (header) => {
      endAt(header.entries_end);
      if (database !== null && state !== "after") throw corrupt("The database has no entry");
    },
  };
}
