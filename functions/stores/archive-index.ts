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

/** Where an index is to be read. */
export interface IndexPlace {
  readonly s3_path: string;
  readonly size_bytes: number;
  readonly etag: string;
}

/** Of a backup's record. */
export interface StoredIndex extends Omit<IndexPlace, "etag"> {
  readonly archive: { readonly etag: string; readonly sha256_index: string };
}

/** What was read of an index beside its blocks. */
export interface IndexFacts {
  readonly sha256: string;
  readonly bytes: number;
  /** What the archive itself says that the index hashes to. */
  readonly trailerSha256: string;
}

/** Hands each block on. @throws BackupError `archive_corrupt`, `archive_unavailable`. */
export async function readIndexBlocks(
  objects: Pick<Objects, "read">,
  backup: StoredIndex,
  onBlock: (block: Uint8Array) => void,
): Promise<void> {
  const { s3_path, size_bytes, archive } = backup;
  const { sha256 } = await readIndex(objects, { s3_path, size_bytes, etag: archive.etag }, onBlock);
  if (sha256 !== archive.sha256_index) throw corrupt(`The index of ${s3_path} is not the one on record`);
}

/** The same of an archive that is not on record: only its own words speak for it. */
export async function readIndex(
  objects: Pick<Objects, "read">,
  { s3_path, size_bytes: sizeBytes, etag }: IndexPlace,
  onBlock: (block: Uint8Array) => void,
): Promise<IndexFacts> {
  const read = (offset: number, bytes: number): Promise<AsyncIterable<Uint8Array>> =>
    objects.read(objectKey(s3_path), { offset, bytes, etag });
  const tailOffset = Math.max(0, sizeBytes - TAIL_BYTES);
  const tail = Buffer.concat(await collect(await read(tailOffset, sizeBytes - tailOffset)));
  const layout = locateArchiveParts(tail, sizeBytes);
  const { index, trailer: place } = layout;
  const inTail = (offset: number, bytes: number): Buffer =>
    tail.subarray(offset - tailOffset, offset - tailOffset + bytes);
  const trailer = decodeTrailer(inTail(place.offset, place.bytes));
  checkTrailer(trailer, layout);
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
  return { sha256: hash.digest("hex"), bytes: index.bytes, trailerSha256: trailer.indexSha256 };
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
