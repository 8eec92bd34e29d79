// An archive's stored index frames as what the copy planner reads.
import { zstdDecompressSync } from "node:zlib";
import { decodeIndexFrames } from "#shared/format/index-blocks.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { createPreviousArchive, type PreviousArchive } from "../plan/copy/previous-archive.ts";

/** Synchronous inside, for the worker thread. @throws BackupError `archive_corrupt`. */
export async function decodeIndex(stored: Uint8Array): Promise<PreviousArchive> {
  const builder = createPreviousArchive();
  const decoder = createIndexDecoder(builder.sink);
  const decompress = async (frame: Uint8Array, maxOutputLength: number): Promise<Uint8Array> =>
    zstdDecompressSync(frame, { maxOutputLength });
  for await (const block of decodeIndexFrames([stored], decompress)) decoder.write(block);
  decoder.end();
  return builder.finish();
}
