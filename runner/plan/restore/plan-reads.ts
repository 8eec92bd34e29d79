// Which bytes of an archive are fetched for the entries that are wanted: frames that lie together become one request,
// split where an entry begins, so that requests are few, little is read for nothing, and each can be worked on alone.
import type { FrameRecord } from "#shared/format/index-frame.ts";

/** An entry's place in the tar: from its first header block to where the next one begins. */
export interface TarSpan {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

/** One ranged read, and what is in it. */
export interface ReadUnit {
  readonly offset: number;
  readonly bytes: number;
  /** Indexes of the first and the last frame; all of them lie in the range. */
  readonly firstFrame: number;
  readonly lastFrame: number;
  readonly spans: readonly TarSpan[];
}

export interface ReadLimits {
  /** A request grows to about this size. */
  readonly unitBytes: number;
  /** So much between two wanted frames is read for nothing rather than asked around. */
  readonly gapBytes: number;
}

/** Requests of some megabytes cost the storage's answer time once for many files; all that are in work lie in memory. */
export const READ_LIMITS: ReadLimits = { unitBytes: 8 * 1_048_576, gapBytes: 262_144 };

/** `spans` in tar order. Lazy, so that a plan for a million entries never exists as a whole. */
export function* planReads(
  frames: readonly FrameRecord[],
  spans: Iterable<TarSpan>,
  limits: ReadLimits = READ_LIMITS,
): Generator<ReadUnit> {
  let unit: { firstFrame: number; lastFrame: number; spans: TarSpan[] } | undefined;
  let frame = 0;
  for (const span of spans) {
    while (endOf(frames[frame]) <= span.from) frame += 1;
    let last = frame;
    while (endOf(frames[last]) < span.to) last += 1;
    if (unit !== undefined && isCheaper(frames, unit, frame, limits)) {
      unit.lastFrame = Math.max(unit.lastFrame, last);
      unit.spans.push(span);
      continue;
    }
    if (unit !== undefined) yield rangeOf(frames, unit);
    unit = { firstFrame: frame, lastFrame: last, spans: [span] };
  }
  if (unit !== undefined) yield rangeOf(frames, unit);
}

/** Whether what begins in frame `next` goes into the same request: always, if that frame is in it already. */
function isCheaper(
  frames: readonly FrameRecord[],
  unit: { readonly firstFrame: number; readonly lastFrame: number },
  next: number,
  limits: ReadLimits,
): boolean {
  if (next <= unit.lastFrame) return true;
  const start = frames[unit.firstFrame]?.offset ?? 0;
  const last = frames[unit.lastFrame];
  const end = (last?.offset ?? 0) + (last?.compressedBytes ?? 0);
  return end - start < limits.unitBytes && (frames[next]?.offset ?? 0) - end <= limits.gapBytes;
}

function rangeOf(
  frames: readonly FrameRecord[],
  unit: { readonly firstFrame: number; readonly lastFrame: number; readonly spans: readonly TarSpan[] },
): ReadUnit {
  const offset = frames[unit.firstFrame]?.offset ?? 0;
  const last = frames[unit.lastFrame];
  return { ...unit, offset, bytes: (last?.offset ?? 0) + (last?.compressedBytes ?? 0) - offset };
}

function endOf(frame: FrameRecord | undefined): number {
  return frame === undefined ? Number.POSITIVE_INFINITY : frame.tarOffset + frame.tarBytes;
}
