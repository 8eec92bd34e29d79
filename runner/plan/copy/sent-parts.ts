// What an attempt that was cut short has already sent, as the copy planner reads an archive: one coarse frame per part,
// so that the rules which say what may be copied also say which parts the next attempt may keep.
import type { EntryStat, IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { type CopyRun, chooseRuns } from "./choose-runs.ts";
import { copiedEntries, type PlacedRun, placeRuns } from "./copied-records.ts";
import type { EntryTable } from "./entry-table.ts";
import { frameSpans } from "./frame-spans.ts";
import type { PreviousArchive } from "./previous-archive.ts";

/** A zstd frame of a part that was sent. */
export interface SentFrame {
  readonly compressedBytes: number;
  readonly tarBytes: number;
  readonly sha256: string;
}

/** A part of whole frames with nothing in them but entries of the tree. */
export interface SentPart {
  readonly number: number;
  readonly tarOffset: number;
  readonly frames: readonly SentFrame[];
}

export interface SentParts {
  /** Any order, no two of the same bytes of the tar. */
  readonly parts: readonly SentPart[];
  /** In tar order, without gaps. */
  readonly entries: EntryTable;
  /** Where the last of them ends. */
  readonly entriesEnd: number;
}

/** `tarOffset`: where it begins in the new tar. */
export type KeptPart = SentPart;

/** What the kept parts put into the new archive: its beginning, before copies and fresh data. */
export interface KeptData {
  readonly parts: readonly KeptPart[];
  readonly bytes: number;
  readonly tarBytes: number;
  readonly frames: () => Iterable<FrameRecord>;
  readonly entries: () => Iterable<IndexEntry>;
}

export const NOTHING_KEPT: KeptData = {
  parts: [],
  bytes: 0,
  tarBytes: 0,
  frames: () => [],
  entries: () => [],
};

/** Every part is large enough by itself, and costs nothing to keep. */
const NO_LIMITS = {
  minCopyBytes: 0,
  maxCopyPartBytes: Number.POSITIVE_INFINITY,
  copyPieceBytes: Number.POSITIVE_INFINITY,
  maxCopyParts: Number.POSITIVE_INFINITY,
};

/**
 * The parts of which every entry is whole, unchanged and still to be packed. `isWanted` is asked once per entry that
 * may be kept, `nestedToday` as in the copy plan.
 */
export function keepParts(
  sent: SentParts,
  isWanted: (entry: EntryStat) => boolean,
  nestedToday: number,
): KeptData {
  const { archive, partOf } = asArchive(sent);
  const spans = frameSpans(archive);
  const missing = entriesIn(archive, spans, (frame) => partOf[frame] === undefined);
  const wanted = Uint8Array.from({ length: archive.entries.count() }, (_, id) => {
    const { entries } = archive;
    const isUsable = missing[id] !== 1 && entries.flags(id) === 0 && entries.find(entries.name(id)) === id;
    if (!isUsable) return 0;
    return isWanted(entries.stat(id)) ? 1 : 0;
  });
  const runs = placeRuns(chooseRuns({ archive, spans, wanted, nestedToday }, NO_LIMITS));
  const parts = runs.flatMap((run) => keptParts(archive, partOf, run));
  return {
    parts,
    bytes: total(runs, "bytes"),
    tarBytes: total(runs, "tarBytes"),
    frames: () => framesOf(parts),
    entries: () => copiedEntries(archive, runs),
  };
}

export function partBytesOf(part: SentPart): number {
  return part.frames.reduce((sum, frame) => sum + frame.compressedBytes, 0);
}

function tarBytesOf(part: SentPart): number {
  return part.frames.reduce((sum, frame) => sum + frame.tarBytes, 0);
}

function total(runs: readonly CopyRun[], what: "bytes" | "tarBytes"): number {
  return runs.reduce((sum, run) => sum + run[what], 0);
}

interface SentArchive {
  readonly archive: PreviousArchive;
  /** Per frame of `archive`; undefined for what was not sent or whose entries are not known. */
  readonly partOf: readonly (SentPart | undefined)[];
}

function asArchive({ parts, entries, entriesEnd }: SentParts): SentArchive {
  const frames: FrameRecord[] = [];
  const partOf: (SentPart | undefined)[] = [];
  let offset = 0;
  let tarOffset = 0;
  const add = (part: SentPart | undefined, compressedBytes: number, tarBytes: number): void => {
    frames.push({ offset, compressedBytes, tarOffset, tarBytes, sha256: "" });
    partOf.push(part);
    offset += compressedBytes;
    tarOffset += tarBytes;
  };
  for (const part of parts.toSorted((a, b) => a.tarOffset - b.tarOffset)) {
    const tarBytes = tarBytesOf(part);
    if (part.tarOffset < tarOffset || part.tarOffset + tarBytes > entriesEnd) continue;
    if (part.tarOffset > tarOffset) add(undefined, 1, part.tarOffset - tarOffset);
    add(part, partBytesOf(part), tarBytes);
  }
  if (entriesEnd > tarOffset) add(undefined, 1, entriesEnd - tarOffset);
  // Only what the planner reads: there is no such archive yet.
  const header = { entries_end: entriesEnd } as PreviousArchive["header"];
  return { archive: { header, frames, entries }, partOf };
}

/** 1 per entry with a byte in such a frame. */
function entriesIn(
  { frames, entries }: PreviousArchive,
  spans: ReturnType<typeof frameSpans>,
  isSuch: (frame: number) => boolean,
): Uint8Array {
  const found = new Uint8Array(entries.count());
  for (const frame of frames.keys()) {
    if (!isSuch(frame)) continue;
    found.fill(1, spans.firstEntry[frame] ?? 0, (spans.lastEntry[frame] ?? -1) + 1);
  }
  return found;
}

function keptParts(
  { frames }: PreviousArchive,
  partOf: readonly (SentPart | undefined)[],
  run: PlacedRun,
): KeptPart[] {
  return frames.slice(run.firstFrame, run.firstFrame + run.frames).map((frame, index) => {
    const part = partOf[run.firstFrame + index];
    if (part === undefined) throw new Error("a part that was not sent cannot be kept");
    return { ...part, tarOffset: frame.tarOffset - run.tarOffset + run.newTarOffset };
  });
}

function* framesOf(parts: readonly KeptPart[]): Generator<FrameRecord> {
  let offset = 0;
  for (const part of parts) {
    let { tarOffset } = part;
    for (const frame of part.frames) {
      yield { offset, tarOffset, ...frame };
      offset += frame.compressedBytes;
      tarOffset += frame.tarBytes;
    }
  }
}
