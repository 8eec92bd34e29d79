// Writes the index's entry lines block by block, compressed at once: what a million entries take until the archive's
// end is some 30 bytes each, in the thread that made them and in the one that uploads them.
import { constants, zstdCompressSync } from "node:zlib";
import { INDEX_BLOCK_BYTES } from "#shared/format/index-blocks.ts";

export interface EntryBlocks {
  /** One encoded entry, without its newline. */
  add(line: string): void;
  /** Hands on what there is: after the last entry, or before. */
  end(): void;
}

/** Of these lines it makes no more than the usual level does, in less time (measured). */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** `put` gets one zstd frame of whole lines at a time. */
export function createEntryBlocks(put: (block: Uint8Array) => void): EntryBlocks {
  // Bytes in one place, not lines in a list: those would outlive two collections and fill the old heap.
  const block = Buffer.allocUnsafeSlow(INDEX_BLOCK_BYTES);
  let filled = 0;
  const end = (): void => {
    if (filled > 0) put(zstdCompressSync(block.subarray(0, filled), OPTIONS));
    filled = 0;
  };
  return {
    add(line) {
      const text = `${line}\n`;
      const lineBytes = Buffer.byteLength(text);
      if (filled + lineBytes > block.length) end();
      filled += block.write(text, filled);
    },
    end,
  };
}
