// What follows an archive's data frames: index, trailer and seek table. See docs/FORMAT.md.
import { createHash } from "node:crypto";
import { encodeIndexFrames } from "#shared/format/index-blocks.ts";
import { encodeEntry, type IndexEntry } from "#shared/format/index-entry.ts";
import { encodeFrame, type FrameRecord } from "#shared/format/index-frame.ts";
import { encodeHeader, type IndexHeader } from "#shared/format/index-header.ts";
import { encodeSeekTable } from "#shared/format/seek-table.ts";
import { encodeTrailer } from "#shared/format/trailer.ts";
import { compressBlock } from "./compress.ts";

export interface SealInput {
  readonly header: IndexHeader;
  readonly frames: readonly FrameRecord[];
  /** Complete index frames with the entries of the tree. */
  readonly entryFrames: readonly Uint8Array[];
  /** Entries after those. */
  readonly lastEntries: readonly IndexEntry[];
  /** Where the data frames end in the object. */
  readonly dataBytes: number;
}

export interface Seal {
  /** Index frames as stored. */
  readonly index: readonly Uint8Array[];
  readonly indexBytes: number;
  readonly sha256Index: string;
  /** Trailer and seek table. */
  readonly tail: readonly Uint8Array[];
}

export async function sealArchive(input: SealInput): Promise<Seal> {
  const { frames, header } = input;
  const index: Uint8Array[] = [];
  for await (const frame of encodeIndexFrames(headLines(header, frames), compressBlock)) index.push(frame);
  index.push(...input.entryFrames);
  const lastLines = input.lastEntries.map((entry) => `${encodeEntry(entry)}\n`);
  for await (const frame of encodeIndexFrames(lastLines, compressBlock)) index.push(frame);

  const sha256 = createHash("sha256");
  let indexBytes = 0;
  for (const frame of index) {
    sha256.update(frame);
    indexBytes += frame.length;
  }
  const sha256Index = sha256.digest("hex");
  const trailer = encodeTrailer({
    indexOffset: input.dataBytes,
    indexBytes,
    tarBytes: header.tar_bytes,
    indexSha256: sha256Index,
  });
  const seekTable = encodeSeekTable([
    ...frames.map((frame) => ({
      compressedBytes: frame.compressedBytes,
      decompressedBytes: frame.tarBytes,
    })),
    ...[...index, trailer].map((frame) => ({ compressedBytes: frame.length, decompressedBytes: 0 })),
  ]);
  return { index, indexBytes, sha256Index, tail: [trailer, seekTable] };
}

function* headLines(header: IndexHeader, frames: readonly FrameRecord[]): Generator<string, void, undefined> {
  yield `${encodeHeader(header)}\n`;
  for (const frame of frames) yield `${encodeFrame(frame)}\n`;
}
