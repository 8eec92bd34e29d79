// A dump as it was extracted: a plain file, read as often as needed.
import { createReadStream } from "node:fs";
import type { DumpSource } from "./import-dump.ts";

const CHUNK_BYTES = 1_048_576;

export function openPlainDump(path: string): DumpSource {
  return { bytes: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }) };
}
