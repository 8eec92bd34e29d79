// From a stored frame to tar bytes: nothing is decompressed before its hash is right, and nothing believed that has
// another length than the index says.
import { hash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { corrupt } from "#shared/format/corrupt.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { readRawFrame } from "#shared/format/raw-frame.ts";
import { isOneFrame } from "../../plan/restore/zstd-frames.ts";

const SPARE_BYTES = 64;
const SHARED_BYTES = 262_144;

/**
 * Hands the frame's part of the tar to `use`, which must not keep it, in one piece or several: what was decompressed is given
 * back at once, because the garbage collector does not feel its weight. Synchronous, for worker threads.
 *
 * @throws BackupError `archive_corrupt`; what `use` throws.
 */
export function openFrame(
  frame: FrameRecord,
  stored: Uint8Array,
  use: (tarOffset: number, tar: Uint8Array) => void,
): void {
  if (hash("sha256", stored, "hex") !== frame.sha256)
    throw corrupt(`The frame at ${frame.offset} is damaged: its hash is wrong`);
  const blocks = readRawFrame(stored);
  if (blocks === undefined) {
    openCompressed(frame, stored, use);
    return;
  }
  checkLength(
    frame,
    blocks.reduce((sum, { length }) => sum + length, 0),
  );
  let { tarOffset } = frame;
  for (const block of blocks) {
    use(tarOffset, block);
    tarOffset += block.length;
  }
}

function openCompressed(
  frame: FrameRecord,
  stored: Uint8Array,
  use: (tarOffset: number, tar: Uint8Array) => void,
): void {
  if (!isOneFrame(stored)) throw corrupt(`The frame at ${frame.offset} is not one zstd frame`);
  const tar = decompress(frame, stored);
  checkLength(frame, tar.length);
  use(frame.tarOffset, tar);
  // Smaller ones may share their memory with others.
  if (tar.length > SHARED_BYTES && tar.buffer instanceof ArrayBuffer) tar.buffer.transfer(0);
}

function checkLength({ offset, tarBytes }: FrameRecord, length: number): void {
  if (length === tarBytes) return;
  throw corrupt(`The frame at ${offset} has another length than its index says`);
}

function decompress(frame: FrameRecord, stored: Uint8Array): Uint8Array {
  try {
    // In one piece with a little to spare, or zlib would allocate another; and never more than the index says.
    return zstdDecompressSync(stored, {
      chunkSize: frame.tarBytes + SPARE_BYTES,
      maxOutputLength: frame.tarBytes,
    });
  } catch (cause) {
    throw corrupt(`The frame at ${frame.offset} cannot be decompressed`, cause);
  }
}
