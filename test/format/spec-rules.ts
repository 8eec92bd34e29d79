// What every part of the second reader leans on: refuse with the name of the broken rule, and decompress within bounds.
import { zstdDecompressSync } from "node:zlib";

export function must(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new Error(`docs/FORMAT.md: ${rule}`);
}

/** Exactly one zstd frame: node:zlib ignores what follows the first, so how much it took is compared. */
export function unzstd(stored: Buffer, mostBytes: number): Buffer {
  // @types/node does not know that `info` changes what is returned.
  const { buffer, engine } = zstdDecompressSync(stored, {
    maxOutputLength: mostBytes,
    info: true,
  }) as unknown as {
    readonly buffer: Buffer;
    readonly engine: { readonly bytesWritten: number };
  };
  must(engine.bytesWritten === stored.length, "one zstd frame and nothing after it");
  return buffer;
}
