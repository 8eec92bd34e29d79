// Reads segments as one stream of large chunks in two buffers that take turns, so that the next chunk can be read
// while the one before is being sent and memory stays bounded.
import type { PartFiles } from "./part-files.ts";
import type { Segment } from "./segments.ts";

const CHUNK_BYTES = 512 * 1024;

/** Each chunk is the consumer's until it asks for the second one after it. Throws if a file is shorter than told. */
export async function* readSegmentBytes(
  files: PartFiles,
  segments: readonly Segment[],
): AsyncGenerator<Buffer> {
  let spare: Buffer | undefined;
  let current: Buffer | undefined;
  for (const segment of segments) {
    const file = await files.openForReading(segment.partFile);
    try {
      for (let done = 0; done < segment.bytes; ) {
        const wanted = Math.min(CHUNK_BYTES, segment.bytes - done);
        const buffer: Buffer =
          spare !== undefined && spare.length >= wanted ? spare : Buffer.allocUnsafeSlow(wanted);
        const { bytesRead } = await file.read(buffer, 0, wanted, segment.offsetBytes + done);
        if (bytesRead === 0) throw new Error(`part file ${segment.partFile} is shorter than its segment`);
        done += bytesRead;
        spare = current;
        current = buffer;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
}
