// Writes the index's entry lines block by block, compressed at once: what a million entries take until the archive's
// end is some 30 bytes each, in the thread that made them and in the one that uploads them.
import { zstdCompressSync } from "node:zlib";
import { INDEX_BLOCK_BYTES } from "#shared/format/index-blocks.ts";
import { encodeEntry, type IndexEntry } from "#shared/format/index-entry.ts";
import { INDEX_FRAME_MAGIC, skippableFrame } from "#shared/format/skippable-frame.ts";

export interface EntryBlocks {
  add(entry: IndexEntry): void;
  /** After the last entry. */
  end(): void;
}

/** `put` gets one complete index frame at a time. */
export function createEntryBlocks(put: (frame: Uint8Array) => void): EntryBlocks {
  // Bytes in one place, not lines in a list: those would outlive two collections and fill the old heap.
  const block = Buffer.allocUnsafeSlow(INDEX_BLOCK_BYTES);
  let filled = 0;
  const end = (): void => {
    if (filled > 0) put(skippableFrame(INDEX_FRAME_MAGIC, zstdCompressSync(block.subarray(0, filled))));
    filled = 0;
  };
  return {
    add(entry) {
      const line = `${encodeEntry(entry)}\n`;
      const lineBytes = Buffer.byteLength(line);
      if (filled + lineBytes > block.length) end();
      filled += block.write(line, filled);
    },
    end,
  };
}
