// An archive's stored index frames as what the copy planner reads.
import { zstdDecompressSync } from "node:zlib";
import { corrupt } from "#shared/format/corrupt.ts";
import { decodeIndexFrames } from "#shared/format/index-blocks.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { createPreviousArchive, type PreviousArchive } from "../plan/copy/previous-archive.ts";

/** Synchronous inside, for the worker thread. @throws BackupError `archive_corrupt`. */
export async function decodeIndex(stored: Uint8Array): Promise<PreviousArchive> {
  const builder = createPreviousArchive();
  const decoder = createIndexDecoder(builder.sink);
  for await (const block of decodeIndexFrames([stored], decompressIndexFrame)) decoder.write(block);
  decoder.end();
  return builder.finish();
}

/** node:zlib decompresses the first zstd frame and says nothing of what follows it. */
export async function decompressIndexFrame(frame: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  // @types/node does not know that `info` changes what is returned.
  const { buffer, engine } = zstdDecompressSync(frame, { maxOutputLength, info: true }) as unknown as {
    readonly buffer: Uint8Array;
    readonly engine: { readonly bytesWritten: number };
  };
  if (engine.bytesWritten !== frame.length) throw corrupt("An index frame is more than one zstd frame");
  return buffer;
}
