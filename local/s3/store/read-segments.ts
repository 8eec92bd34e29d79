// Reads segments as one stream of large chunks in two buffers that take turns, so that the next chunk can be read
// while the one before is being sent and memory stays bounded.
import { CHUNK_BYTES, type ChunkPair } from "./chunk-buffers.ts";
import type { PartFiles } from "./part-files.ts";
import type { Segment } from "./segments.ts";

/** Each chunk is the consumer's until it asks for the second one after it. Throws if a file is shorter than told. */
export async function* readSegmentBytes(
  files: PartFiles,
  segments: readonly Segment[],
  [first, second]: ChunkPair,
): AsyncGenerator<Buffer> {
  let [next, other] = [first, second];
  for (const segment of segments) {
    const file = await files.openForReading(segment.partFile);
    try {
      for (let done = 0; done < segment.bytes; ) {
        const wanted = Math.min(CHUNK_BYTES, segment.bytes - done);
        const { bytesRead } = await file.read(next, 0, wanted, segment.offsetBytes + done);
        if (bytesRead === 0) throw new Error(`part file ${segment.partFile} is shorter than its segment`);
        done += bytesRead;
        const chunk = next.subarray(0, bytesRead);
        [next, other] = [other, next];
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }
}
