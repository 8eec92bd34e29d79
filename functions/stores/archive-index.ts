// The index of an archive as its blocks, by ranged reads only: the object's tail, then the index itself, one block in
// memory at a time. Whether its hash is the one on record is known at the end, so nothing may be believed before.
import { createHash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { corrupt } from "#shared/format/corrupt.ts";
import { decodeIndexFrames } from "#shared/format/index-blocks.ts";
import { checkTrailer, locateArchiveParts, TAIL_BYTES } from "#shared/format/tail.ts";
import { decodeTrailer } from "#shared/format/trailer.ts";
import { objectKey } from "#shared/object-key.ts";
import type { Objects } from "./objects.ts";

/** Of a backup's record. */
export interface StoredIndex {
  readonly s3_path: string;
  readonly size_bytes: number;
  readonly archive: { readonly etag: string; readonly sha256_index: string };
}

/** Hands each block on. @throws BackupError `archive_corrupt`, `archive_unavailable`. */
export async function readIndexBlocks(
  objects: Pick<Objects, "read">,
  backup: StoredIndex,
  onBlock: (block: Uint8Array) => void,
): Promise<void> {
  const { size_bytes: sizeBytes, archive } = backup;
  const read = (offset: number, bytes: number): Promise<AsyncIterable<Uint8Array>> =>
    objects.read(objectKey(backup.s3_path), { offset, bytes, etag: archive.etag });
  const tailOffset = Math.max(0, sizeBytes - TAIL_BYTES);
  const tail = Buffer.concat(await collect(await read(tailOffset, sizeBytes - tailOffset)));
  const layout = locateArchiveParts(tail, sizeBytes);
  const { index, trailer } = layout;
  const inTail = (offset: number, bytes: number): Buffer =>
    tail.subarray(offset - tailOffset, offset - tailOffset + bytes);
  checkTrailer(decodeTrailer(inTail(trailer.offset, trailer.bytes)), layout);
  const stored =
    index.offset >= tailOffset ? [inTail(index.offset, index.bytes)] : await read(index.offset, index.bytes);

  const hash = createHash("sha256");
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of stored) {
      hash.update(piece);
      yield piece;
    }
  };
  const decompress = async (frame: Uint8Array, maxOutputLength: number): Promise<Uint8Array> =>
    zstdDecompressSync(frame, { maxOutputLength });
  for await (const block of decodeIndexFrames(hashed(), decompress)) onBlock(block);
  if (hash.digest("hex") !== archive.sha256_index) {
    throw corrupt(`The index of ${backup.s3_path} is not the one on record`);
  }
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
