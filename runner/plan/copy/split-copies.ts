// Runs of frames as the byte ranges of UploadPartCopy calls: pieces that a storage copies side by side, each in a time in
// which a connection may be silent, and never more of them than an upload has room for.
import type { CopyLimits, CopyRun } from "./choose-runs.ts";

/** One UploadPartCopy: this range of the previous object is the next part of the new one. */
export interface CopyPart {
  readonly offset: number;
  readonly bytes: number;
}

/** Even pieces, so that no piece falls under the smallest part size either. */
export function splitCopies(runs: readonly CopyRun[], limits: CopyLimits): CopyPart[] {
  const pieceBytes = pieceSize(runs, limits);
  return runs.flatMap((run) => {
    const pieces = Math.ceil(run.bytes / pieceBytes);
    return Array.from({ length: pieces }, (_, piece) => {
      const from = Math.floor((run.bytes * piece) / pieces);
      const to = Math.floor((run.bytes * (piece + 1)) / pieces);
      return { offset: run.offset + from, bytes: to - from };
    });
  });
}

/** Doubled until all fit; the runs were chosen so that they fit in the largest. */
function pieceSize(runs: readonly CopyRun[], limits: CopyLimits): number {
  let pieceBytes = Math.min(limits.copyPieceBytes, limits.maxCopyPartBytes);
  while (pieceBytes < limits.maxCopyPartBytes) {
    const size = pieceBytes;
    const pieces = runs.reduce((sum, run) => sum + Math.ceil(run.bytes / size), 0);
    if (pieces <= limits.maxCopyParts) break;
    pieceBytes = Math.min(pieceBytes * 2, limits.maxCopyPartBytes);
  }
  return pieceBytes;
}
