// Runs of frames as the byte ranges of UploadPartCopy calls, none larger than S3 copies in one part.
import { type CopyLimits, type CopyRun, partCount } from "./choose-runs.ts";

/** One UploadPartCopy: this range of the previous object is the next part of the new one. */
export interface CopyPart {
  readonly offset: number;
  readonly bytes: number;
}

/** Even pieces, so that no piece falls under the smallest part size either. */
export function splitCopies(runs: readonly CopyRun[], limits: CopyLimits): CopyPart[] {
  return runs.flatMap((run) => {
    const pieces = partCount(run.bytes, limits);
    return Array.from({ length: pieces }, (_, piece) => {
      const from = Math.floor((run.bytes * piece) / pieces);
      const to = Math.floor((run.bytes * (piece + 1)) / pieces);
      return { offset: run.offset + from, bytes: to - from };
    });
  });
}
