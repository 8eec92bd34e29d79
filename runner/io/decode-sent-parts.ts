// What the ledger of an earlier attempt says, as the copy planner reads it. Whatever does not fit together ends what is
// believed: a part that is not kept costs some bytes, a part that is kept wrongly would cost an archive.
import { zstdDecompressSync } from "node:zlib";
import { MAX_INDEX_BLOCK_BYTES } from "#shared/format/index-blocks.ts";
import { decodeEntry, type IndexEntry } from "#shared/format/index-entry.ts";
import { createEntryTable } from "../plan/copy/entry-table.ts";
import type { SentParts } from "../plan/copy/sent-parts.ts";
import type { SentEarlier } from "./pack-protocol.ts";

/** Synchronous, for the worker thread. */
export function decodeSentParts({ parts, blocks, gap }: SentEarlier): SentParts {
  const place = (tarOffset: number): number =>
    tarOffset < gap.tarOffset + gap.tarBytes ? tarOffset : tarOffset - gap.tarBytes;
  const entries = createEntryTable();
  let entriesEnd = 0;
  for (const { lines, tarEnd } of blocks) {
    const decoded = decodeBlock(lines)?.map((entry) => ({ ...entry, tarOffset: place(entry.tarOffset) }));
    // The block before says where this one begins: a block that is missing makes a hole that nothing bridges.
    if (decoded === undefined || !follows(decoded, entriesEnd, place(tarEnd))) break;
    for (const entry of decoded) entries.add(entry, entry.tarOffset, entry.flags);
    entriesEnd = place(tarEnd);
  }
  return { parts: parts.map((part) => ({ ...part, tarOffset: place(part.tarOffset) })), entries, entriesEnd };
}

function decodeBlock(lines: Uint8Array): IndexEntry[] | undefined {
  try {
    const text = zstdDecompressSync(lines, { maxOutputLength: MAX_INDEX_BLOCK_BYTES }).toString("utf8");
    return text
      .slice(0, -1)
      .split("\n")
      .map((line) => decodeEntry(JSON.parse(line)));
  } catch {
    return undefined; // Damaged: what came before still counts.
  }
}

function follows(entries: readonly IndexEntry[], from: number, to: number): boolean {
  let end = from;
  for (const [index, { tarOffset, size }] of entries.entries()) {
    if (index === 0 ? tarOffset !== from : tarOffset < end) return false;
    end = tarOffset + 512 + Math.ceil(size / 512) * 512;
  }
  return end <= to;
}
