// The index as bytes of the object: blocks of whole lines, each compressed alone in a skippable frame of its own, so
// that both sides work block by block and a decoder knows every length before it decompresses anything.
import { corrupt } from "./corrupt.ts";
import {
  INDEX_FRAME_MAGIC,
  SKIPPABLE_HEADER_BYTES,
  skippableContentBytes,
  skippableFrame,
} from "./skippable-frame.ts";

/** What a writer puts into one block, uncompressed. */
export const INDEX_BLOCK_BYTES = 1_048_576;
/** The most a block may decompress to; a reader refuses more. */
export const MAX_INDEX_BLOCK_BYTES = 4_194_304;
/** zstd's own bound for incompressible data is below 1 % more. */
const MAX_STORED_BYTES = MAX_INDEX_BLOCK_BYTES + 65_536;

/** One zstd frame of all of `bytes`. */
export type Compress = (bytes: Uint8Array) => Promise<Uint8Array>;
/** The content of one zstd frame; must reject instead of allocating more than `maxBytes`. */
export type Decompress = (frame: Uint8Array, maxBytes: number) => Promise<Uint8Array>;

/** The index frames of `lines`, in order, each a complete skippable frame; one block in memory at a time. */
export async function* encodeIndexFrames(
  lines: Iterable<string>,
  compress: Compress,
): AsyncGenerator<Uint8Array> {
  for (const block of blocksOf(lines)) {
    yield skippableFrame(INDEX_FRAME_MAGIC, await compress(block));
  }
}

/** The decompressed blocks of the object's index bytes, which may come in pieces of any size. */
export async function* decodeIndexFrames(
  stored: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  decompress: Decompress,
): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  for await (const piece of stored) {
    pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
    for (;;) {
      const frame = completeFrame(pending);
      if (frame === undefined) break;
      pending = pending.subarray(SKIPPABLE_HEADER_BYTES + frame.length);
      yield await decompressBlock(frame, decompress);
    }
  }
  if (pending.length > 0) throw corrupt("The index is cut off within a frame");
}

function* blocksOf(lines: Iterable<string>): Generator<Buffer> {
  let parts: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    const lineBytes = Buffer.byteLength(line);
    if (bytes > 0 && bytes + lineBytes > INDEX_BLOCK_BYTES) {
      yield Buffer.from(parts.join(""));
      parts = [];
      bytes = 0;
    }
    parts.push(line);
    bytes += lineBytes;
  }
  if (bytes > 0) yield Buffer.from(parts.join(""));
}

/** The content of the first frame of `pending`, or undefined while it has not come completely. */
function completeFrame(pending: Uint8Array): Uint8Array | undefined {
  if (pending.length < SKIPPABLE_HEADER_BYTES) return undefined;
  const bytes = skippableContentBytes(pending, INDEX_FRAME_MAGIC, "An index frame");
  if (bytes > MAX_STORED_BYTES) throw corrupt(`An index frame claims ${bytes} bytes`);
  const end = SKIPPABLE_HEADER_BYTES + bytes;
  return pending.length < end ? undefined : pending.subarray(SKIPPABLE_HEADER_BYTES, end);
}

async function decompressBlock(frame: Uint8Array, decompress: Decompress): Promise<Uint8Array> {
  let block: Uint8Array;
  try {
    block = await decompress(frame, MAX_INDEX_BLOCK_BYTES);
  } catch (cause) {
    throw corrupt("An index frame cannot be decompressed", cause);
  }
  if (block.length > MAX_INDEX_BLOCK_BYTES) throw corrupt("An index frame decompresses to too much");
  return block;
}
