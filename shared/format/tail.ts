// Finds an archive's parts from its last bytes: which ranges a reader asks for, so that an index is read with one
// ranged GET when it is small and two when it is not.
import { corrupt } from "./corrupt.ts";
import { readSeekTableFooter, SEEK_TABLE_FOOTER_BYTES, type SeekTableFooter } from "./seek-table.ts";
import { TRAILER_FRAME_BYTES, type Trailer } from "./trailer.ts";

/** What a reader asks for first (`Range: bytes=-65536`): always holds the seek table's entries for the index. */
export const TAIL_BYTES = 65_536;
/** Bounds the zero-size entries at the table's end so that TAIL_BYTES always reaches behind them. */
export const MAX_INDEX_FRAMES = 4096;

export interface ByteRange {
  readonly offset: number;
  readonly bytes: number;
}

/** Object layout: data frames, then `index`, `trailer`, `seekTable`, each directly after the one before. */
export interface ArchiveLayout {
  readonly dataFrames: number;
  readonly index: ByteRange;
  readonly trailer: ByteRange;
  readonly seekTable: ByteRange;
}

/** `tail` is the last min(objectBytes, TAIL_BYTES) bytes of the object, or more. */
export function locateArchiveParts(tail: Uint8Array, objectBytes: number): ArchiveLayout {
  if (tail.length < Math.min(objectBytes, TAIL_BYTES) || tail.length > objectBytes) {
    throw new RangeError(`a tail of ${tail.length} bytes does not fit an object of ${objectBytes}`);
  }
  const footer = readSeekTableFooter(tail);
  const seekTable = { offset: objectBytes - footer.tableBytes, bytes: footer.tableBytes };
  const entries = lastEntries(tail, footer);
  if (entries[0]?.decompressedBytes !== 0 || entries[0].compressedBytes !== TRAILER_FRAME_BYTES) {
    throw corrupt("The object is seekable zstd, but carries no Backupd index");
  }
  const trailer = { offset: seekTable.offset - TRAILER_FRAME_BYTES, bytes: TRAILER_FRAME_BYTES };
  const firstData = entries.findIndex((entry) => entry.decompressedBytes > 0);
  const indexFrames = (firstData === -1 ? entries.length : firstData) - 1;
  if (indexFrames < 1 || indexFrames > MAX_INDEX_FRAMES) {
    throw corrupt(`The archive has ${indexFrames} index frames`);
  }
  if (firstData === -1) throw corrupt("The archive has no data");
  const bytes = entries.slice(1, 1 + indexFrames).reduce((sum, entry) => sum + entry.compressedBytes, 0);
  const index = { offset: trailer.offset - bytes, bytes };
  if (index.offset < 0) throw corrupt("The seek table claims more than the object holds");
  return { dataFrames: footer.frames - 1 - indexFrames, index, trailer, seekTable };
}

/** What a second GET must read so that, with the tail, all from the index's start is there; undefined if it is. */
export function missingRange(layout: ArchiveLayout, tailBytes: number): ByteRange | undefined {
  const tailOffset = layout.seekTable.offset + layout.seekTable.bytes - tailBytes;
  if (layout.index.offset >= tailOffset) return undefined;
  return { offset: layout.index.offset, bytes: tailOffset - layout.index.offset };
}

/** The trailer repeats where the index is; a disagreement means that one of the two was tampered with. */
export function checkTrailer(trailer: Trailer, layout: ArchiveLayout): void {
  if (trailer.indexOffset !== layout.index.offset || trailer.indexBytes !== layout.index.bytes) {
    throw corrupt("The trailer and the seek table disagree about where the index is");
  }
}

/** The table's last entries, last first, as many as the index can have and the tail holds. */
function lastEntries(
  tail: Uint8Array,
  footer: SeekTableFooter,
): { compressedBytes: number; decompressedBytes: number }[] {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const inTail = Math.floor((tail.length - SEEK_TABLE_FOOTER_BYTES) / footer.entryBytes);
  const count = Math.min(footer.frames, inTail, MAX_INDEX_FRAMES + 2);
  return Array.from({ length: count }, (_, index) => {
    const at = tail.length - SEEK_TABLE_FOOTER_BYTES - (index + 1) * footer.entryBytes;
    return { compressedBytes: view.getUint32(at, true), decompressedBytes: view.getUint32(at + 4, true) };
  });
}
