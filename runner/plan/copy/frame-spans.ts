// Which entries each frame of an archive touches and whether it begins and ends where an entry does: the geometry
// that decides what can be copied without cutting an entry in two.
import type { PreviousArchive } from "./previous-archive.ts";

export interface FrameSpans {
  /** Per frame: the first and the last entry with a byte in it; first > last for a frame that holds none. */
  readonly firstEntry: Int32Array;
  readonly lastEntry: Int32Array;
  /** Per frame: 1 if an entry starts where it starts (or ends where it ends); never for the tar's end. */
  readonly startsWhole: Uint8Array;
  readonly endsWhole: Uint8Array;
}

export function frameSpans(archive: PreviousArchive): FrameSpans {
  const { frames, entries, header } = archive;
  const spans = {
    firstEntry: new Int32Array(frames.length),
    lastEntry: new Int32Array(frames.length),
    startsWhole: new Uint8Array(frames.length),
    endsWhole: new Uint8Array(frames.length),
  };
  const endOf = (entry: number): number =>
    entry + 1 < entries.count() ? entries.tarOffset(entry + 1) : header.entries_end;
  let entry = 0;
  for (const [index, frame] of frames.entries()) {
    const end = frame.tarOffset + frame.tarBytes;
    while (entry < entries.count() && endOf(entry) <= frame.tarOffset) entry += 1;
    spans.firstEntry[index] = entry;
    spans.startsWhole[index] =
      entry < entries.count() && entries.tarOffset(entry) === frame.tarOffset ? 1 : 0;
    let last = entry;
    while (last < entries.count() && endOf(last) < end) last += 1;
    const covered = last < entries.count();
    spans.lastEntry[index] = covered ? last : entries.count() - 1;
    spans.endsWhole[index] = covered && endOf(last) === end ? 1 : 0;
    entry = covered ? last : entries.count();
  }
  return spans;
}

/** The frame in which `tarOffset` lies. */
export function frameAt(frames: PreviousArchive["frames"], tarOffset: number): number {
  let low = 0;
  let high = frames.length;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if ((frames[middle]?.tarOffset ?? 0) <= tarOffset) low = middle;
    else high = middle;
  }
  return low;
}
