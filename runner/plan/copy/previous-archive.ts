// The previous backup's index as the planner holds it. It fills straight from the index decoder, so that the records
// of a large site never exist as objects.
import { FLAG_CHANGED_WHILE_READ } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import type { IndexSink } from "#shared/format/index-lines.ts";
import { createEntryTable, type EntryTable } from "./entry-table.ts";

export interface PreviousArchive {
  readonly header: IndexHeader;
  readonly frames: readonly FrameRecord[];
  /** In tar order. */
  readonly entries: EntryTable;
}

export interface PreviousArchiveBuilder {
  readonly sink: IndexSink;
  /** After the decoder's `end()`. */
  readonly finish: () => PreviousArchive;
}

export function createPreviousArchive(): PreviousArchiveBuilder {
  const frames: FrameRecord[] = [];
  let entries = createEntryTable();
  let header: IndexHeader | undefined;
  return {
    sink: {
      header: (line) => {
        header = line;
        entries = createEntryTable(line.entries);
      },
      frame: (frame) => {
        frames.push(frame);
      },
      entry: (entry) => {
        const id = entries.count();
        const first = entries.add(entry, entry.tarOffset, entry.flags);
        if (first === id) return;
        // Two entries of one name: which of them counts depends on what lies between, so neither is ever reused.
        entries.addFlags(first, FLAG_CHANGED_WHILE_READ);
        entries.addFlags(id, FLAG_CHANGED_WHILE_READ);
      },
    },
    finish: () => {
      if (header === undefined) throw new Error("finish() was called before the index was decoded");
      return { header, frames, entries };
    },
  };
}
