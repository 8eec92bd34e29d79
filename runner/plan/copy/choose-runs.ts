// Which frames of the previous archive go into the new one. Every rule only takes frames away, so applying them all
// until none objects ends, and (but for the limit on parts) with the most that can be copied.
import { isLateLink } from "#shared/format/entry-name.ts";
import type { FrameSpans } from "./frame-spans.ts";
import { frameAt } from "./frame-spans.ts";
import type { PreviousArchive } from "./previous-archive.ts";

export interface CopyLimits {
  /** S3 refuses a smaller part unless it is the last one, and the fresh data is always last. */
  readonly minCopyBytes: number;
  /** S3 refuses to copy more in one part. */
  readonly maxCopyPartBytes: number;
  /** Longer runs are copied in pieces of about this size, side by side; at least twice `minCopyBytes`. */
  readonly copyPieceBytes: number;
  /** Parts that copies may take; the rest of the upload's 10,000 is for fresh data. */
  readonly maxCopyParts: number;
}

/** Consecutive frames, copied as one: whole entries only, at least `minCopyBytes`. */
export interface CopyRun {
  readonly firstFrame: number;
  readonly frames: number;
  readonly firstEntry: number;
  readonly entries: number;
  /** Place in the previous object. */
  readonly offset: number;
  readonly bytes: number;
  /** Place in the previous tar. */
  readonly tarOffset: number;
  readonly tarBytes: number;
}

/** What the frames are judged by. */
interface Candidates {
  readonly archive: PreviousArchive;
  readonly spans: FrameSpans;
  /** Per entry of the previous archive: 1 if today's tree has exactly this entry. */
  readonly wanted: Uint8Array;
  /** How many entries today's tree has inside directories, the directories themselves included. */
  readonly nestedToday: number;
}

export function chooseRuns(candidates: Candidates, limits: CopyLimits): CopyRun[] {
  const alive = wantedFrames(candidates);
  const links = hardLinks(candidates.archive);
  for (;;) {
    const runs = findRuns(candidates, alive, limits.minCopyBytes);
    const dropped = dropOrphanedLinks(alive, links) + dropEarlyDirectories(candidates, alive, runs);
    if (dropped === 0 && !dropSmallest(alive, runs, limits)) return runs;
  }
}

/** 1 for every frame of which each entry is wanted. */
function wantedFrames({ archive, spans, wanted }: Candidates): Uint8Array {
  return Uint8Array.from(archive.frames, (_, frame) => {
    const last = spans.lastEntry[frame] ?? -1;
    for (let entry = spans.firstEntry[frame] ?? 0; entry <= last; entry += 1) {
      if (wanted[entry] === 0) return 0;
    }
    return 1;
  });
}

/** The runs of live frames cut to whole entries; clears every frame that is in none. */
function findRuns({ archive, spans }: Candidates, alive: Uint8Array, minCopyBytes: number): CopyRun[] {
  const runs: CopyRun[] = [];
  let frame = 0;
  while (frame < alive.length) {
    const from = frame;
    while (alive[frame] === 1) frame += 1;
    let first = from;
    while (first < frame && spans.startsWhole[first] === 0) first += 1;
    let end = frame;
    while (end > first && spans.endsWhole[end - 1] === 0) end -= 1;
    const run = end > first ? runOf(archive, spans, first, end) : undefined;
    if (run !== undefined && run.bytes >= minCopyBytes) {
      alive.fill(0, from, first);
      alive.fill(0, end, frame);
      runs.push(run);
    } else {
      alive.fill(0, from, frame);
    }
    frame += 1;
  }
  return runs;
}

function runOf(archive: PreviousArchive, spans: FrameSpans, first: number, end: number): CopyRun | undefined {
  const start = archive.frames[first];
  const last = archive.frames[end - 1];
  if (start === undefined || last === undefined) return undefined;
  const firstEntry = spans.firstEntry[first] ?? 0;
  return {
    firstFrame: first,
    frames: end - first,
    firstEntry,
    entries: (spans.lastEntry[end - 1] ?? -1) - firstEntry + 1,
    offset: start.offset,
    bytes: last.offset + last.compressedBytes - start.offset,
    tarOffset: start.tarOffset,
    tarBytes: last.tarOffset + last.tarBytes - start.tarOffset,
  };
}

interface HardLink {
  readonly linkFrame: number;
  /** -1 if no earlier entry is the target. */
  readonly targetFrame: number;
}

function hardLinks({ entries, frames }: PreviousArchive): HardLink[] {
  const links: HardLink[] = [];
  for (let entry = 0; entry < entries.count(); entry += 1) {
    if (entries.type(entry) !== "h") continue;
    const target = entries.find(entries.stat(entry).link ?? "");
    const valid = target !== -1 && target < entry && entries.type(target) !== "d";
    links.push({
      linkFrame: frameAt(frames, entries.tarOffset(entry)),
      targetFrame: valid ? frameAt(frames, entries.tarOffset(target)) : -1,
    });
  }
  return links;
}

/** tar makes a hard link to what it has already extracted: a copied link whose target comes later would fail. */
function dropOrphanedLinks(alive: Uint8Array, links: readonly HardLink[]): number {
  let dropped = 0;
  for (const { linkFrame, targetFrame } of links) {
    if (alive[linkFrame] === 0 || (targetFrame !== -1 && alive[targetFrame] === 1)) continue;
    alive[linkFrame] = 0;
    dropped += 1;
  }
  return dropped;
}

/**
 * A directory's entry sets its mtime, and whatever is extracted into it later spoils that. So directories, and the late
 * links behind them, are copied only if everything inside them is, too; otherwise they are packed, after all else.
 * docs/FORMAT.md, "Order".
 */
function dropEarlyDirectories(
  { archive, nestedToday }: Candidates,
  alive: Uint8Array,
  runs: readonly CopyRun[],
): number {
  const { entries, frames } = archive;
  let nestedCopied = 0;
  const withDirectories = new Set<number>();
  for (const run of runs) {
    for (let entry = run.firstEntry; entry < run.firstEntry + run.entries; entry += 1) {
      if (entries.isNested(entry)) nestedCopied += 1;
      const type = entries.type(entry);
      const isLate = type === "d" || (type === "l" && isLateLink(entries.stat(entry)));
      if (isLate) withDirectories.add(frameAt(frames, entries.tarOffset(entry)));
    }
  }
  if (nestedCopied === nestedToday) return 0;
  for (const frame of withDirectories) alive[frame] = 0;
  return withDirectories.size;
}

/** Too many fragments for one upload: the smallest are packed again, and so lie together next time. */
function dropSmallest(alive: Uint8Array, runs: readonly CopyRun[], limits: CopyLimits): boolean {
  let parts = runs.reduce((sum, run) => sum + fewestParts(run.bytes, limits), 0);
  if (parts <= limits.maxCopyParts) return false;
  for (const run of runs.toSorted((a, b) => a.bytes - b.bytes)) {
    if (parts <= limits.maxCopyParts) break;
    alive.fill(0, run.firstFrame, run.firstFrame + run.frames);
    parts -= fewestParts(run.bytes, limits);
  }
  return true;
}

function fewestParts(runBytes: number, limits: CopyLimits): number {
  return Math.ceil(runBytes / limits.maxCopyPartBytes);
}
