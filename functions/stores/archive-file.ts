// A piece of one file of an archive: only the frames that hold it are fetched, one at a time, and none is believed before
// its hash is the one that the index says.
import { hash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { corrupt } from "#shared/format/corrupt.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { objectKey } from "#shared/object-key.ts";
import { createFileSearch, type FoundFile, framesOver } from "../core/find-file.ts";
import { readIndexBlocks, type StoredIndex } from "./archive-index.ts";
import type { Objects } from "./objects.ts";

/** Readers may refuse larger frames, as docs/FORMAT.md says: one is held in memory before it may be believed. */
const MAX_FRAME_BYTES = 64 * 1_048_576;
/** A hard link names an earlier entry, which may be one, too. Nobody's archive has longer chains. */
const MAX_LINKS = 4;

type Reads = Pick<Objects, "read">;

/** Hard links are followed to the file. undefined: there is nothing of that name. @throws BackupError `archive_corrupt`. */
export async function findFile(
  objects: Reads,
  backup: StoredIndex,
  matches: (name: string) => boolean,
): Promise<FoundFile | undefined> {
  let found = await search(objects, backup, matches);
  for (let links = 0; found?.entry.type === "h"; links += 1) {
    const target = found.entry.link;
    found = await search(objects, backup, (name) => name === target);
    if (found === undefined || links === MAX_LINKS) throw corrupt("A hard link leads to no file");
  }
  return found;
}

async function search(
  objects: Reads,
  backup: StoredIndex,
  matches: (name: string) => boolean,
): Promise<FoundFile | undefined> {
  const sink = createFileSearch(matches);
  const decoder = createIndexDecoder(sink);
  await readIndexBlocks(objects, backup, decoder.write);
  decoder.end();
  return sink.found();
}

/** The bytes [offset, offset + length) of the file. @throws BackupError `archive_corrupt`, `archive_unavailable`. */
export async function readFilePiece(
  objects: Reads,
  backup: StoredIndex,
  file: FoundFile,
  piece: { readonly offset: number; readonly bytes: number },
): Promise<Buffer> {
  const from = file.from + piece.offset;
  const to = from + piece.bytes;
  const content = Buffer.alloc(piece.bytes);
  let filled = 0;
  for (const frame of piece.bytes === 0 ? [] : framesOver(file.frames, from, to)) {
    const tar = openFrame(frame, await readFrame(objects, backup, frame));
    const part = tar.subarray(Math.max(0, from - frame.tarOffset), to - frame.tarOffset);
    content.set(part, filled);
    filled += part.length;
  }
  if (filled !== piece.bytes) throw corrupt("The frames do not hold the whole file");
  return content;
}

async function readFrame(
  objects: Reads,
  { s3_path, archive }: StoredIndex,
  frame: FrameRecord,
): Promise<Buffer> {
  const { offset, compressedBytes: bytes, tarBytes } = frame;
  if (bytes > MAX_FRAME_BYTES || tarBytes > MAX_FRAME_BYTES) {
    throw corrupt(`The frame at ${offset} is larger than ${MAX_FRAME_BYTES} bytes`);
  }
  const pieces: Uint8Array[] = [];
  for await (const one of await objects.read(objectKey(s3_path), { offset, bytes, etag: archive.etag })) {
    pieces.push(one);
  }
  return Buffer.concat(pieces);
}

function openFrame(frame: FrameRecord, stored: Buffer): Uint8Array {
  if (hash("sha256", stored, "hex") !== frame.sha256) {
    throw corrupt(`The frame at ${frame.offset} is damaged: its hash is wrong`);
  }
  const tar = decompress(frame, stored);
  if (tar.length !== frame.tarBytes) {
    throw corrupt(`The frame at ${frame.offset} has another length than its index says`);
  }
  return tar;
}

function decompress(frame: FrameRecord, stored: Buffer): Uint8Array {
  try {
    return zstdDecompressSync(stored, { maxOutputLength: frame.tarBytes });
  } catch (cause) {
    throw corrupt(`The frame at ${frame.offset} cannot be decompressed`, cause);
  }
}
