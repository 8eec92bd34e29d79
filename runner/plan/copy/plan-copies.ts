// Decides what a backup keeps of an earlier attempt, what it copies inside S3 from the previous archive and what it packs
// anew: what was sent, the previous index and today's walk in, an ordered plan out. Extracting the planned archive gives
// exactly the walked tree.
import type { EntryStat, IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { type CopyLimits, type CopyRun, chooseRuns } from "./choose-runs.ts";
import { copiedDatabase, copiedEntries, copiedFrames, type PlacedRun, placeRuns } from "./copied-records.ts";
import { frameSpans } from "./frame-spans.ts";
import type { PreviousArchive } from "./previous-archive.ts";
import { type KeptData, keepParts, NOTHING_KEPT, type SentParts } from "./sent-parts.ts";
import { type CopyPart, splitCopies } from "./split-copies.ts";
import {
  createWalkOrder,
  type FreshEntries,
  type PlanCounts,
  type Taken,
  type WalkOrder,
} from "./walk-order.ts";

/**
 * S3's rules, with a tenth of the 10,000 parts kept for fresh data. Pieces of 256 MiB: S3 copies one in some seconds, and
 * whoever copies only 1 MB/s does so before the runner's patience ends (io/copy-parts.ts).
 */
export const S3_COPY_LIMITS: CopyLimits = {
  minCopyBytes: 5 * 1024 ** 2,
  maxCopyPartBytes: 5 * 1024 ** 3,
  copyPieceBytes: 256 * 1024 ** 2,
  maxCopyParts: 9_000,
};

export interface PlanOptions extends CopyLimits {
  /** Today's dump: it is copied if the previous archive holds the same one. Undefined: it is packed. */
  readonly dumpSha256?: string;
  /** What an earlier attempt has sent to the upload that this one goes on with. */
  readonly sent?: SentParts;
}

/** Why nothing is copied, if nothing is. */
export type FullReason = "no_previous" | "nothing_unchanged" | "below_minimum_part" | "too_fragmented";

/** What the copies put into the new archive, after what is kept and before the first fresh byte. */
export interface CopiedData {
  readonly parts: readonly CopyPart[];
  readonly runs: readonly PlacedRun[];
  readonly bytes: number;
  readonly tarBytes: number;
  /** Index records, in order, at their new places. */
  readonly frames: () => Iterable<FrameRecord>;
  readonly entries: () => Iterable<IndexEntry>;
  /** Set if the dump is among them: then it must not be packed. */
  readonly database: NonNullable<IndexHeader["database"]> | undefined;
}

export interface CopyPlan {
  readonly mode: "full" | "incremental";
  readonly fullReason: FullReason | undefined;
  readonly kept: KeptData;
  readonly copied: CopiedData;
  readonly fresh: FreshEntries;
  readonly counts: PlanCounts;
}

export interface CopyPlanner {
  /** Every entry of today's tree, once, a directory before what is in it, a hard link after its target. */
  readonly see: (entry: EntryStat) => void;
  readonly plan: (options: PlanOptions) => CopyPlan;
}

/** `previous` is undefined when there is none that may be copied from. */
export function createCopyPlanner(previous: PreviousArchive | undefined): CopyPlanner {
  const order = createWalkOrder(previous?.entries);
  return {
    see: order.see,
    plan: (options) => {
      if (previous === undefined) return assemble(order, undefined, [], options);
      const wanted = order.wanted().slice();
      const dump = sameDump(previous, options.dumpSha256);
      if (dump !== -1) wanted[dump] = 1;
      const spans = frameSpans(previous);
      const nestedToday = order.nestedCount();
      const runs = chooseRuns({ archive: previous, spans, wanted, nestedToday }, options);
      return assemble(order, previous, runs, options);
    },
  };
}

/** The previous dump's entry if its content is today's, otherwise -1. */
function sameDump(previous: PreviousArchive, sha256: string | undefined): number {
  const database = previous.header.database;
  if (database === null || sha256 === undefined || database.sha256 !== sha256) return -1;
  const entry = previous.entries.find(database.name);
  const placed = entry !== -1 && previous.entries.tarOffset(entry) === database.tar_offset;
  return placed && previous.entries.flags(entry) === 0 ? entry : -1;
}

function assemble(
  order: WalkOrder,
  previous: PreviousArchive | undefined,
  chosen: readonly CopyRun[],
  options: PlanOptions,
): CopyPlan {
  const taken = order.noneTaken();
  for (const run of chosen) taken.previous.fill(1, run.firstEntry, run.firstEntry + run.entries);
  const databaseName = previous?.header.database?.name;
  const counts = order.counts(taken.previous, databaseName);
  const kept = keep(order, taken, options.sent);
  const runs = placeRuns(chosen, kept);
  const fresh = order.fresh(taken);
  const mode = runs.length === 0 ? "full" : "incremental";
  return {
    mode,
    fullReason: mode === "full" ? reasonOf(previous, counts, options) : undefined,
    kept,
    copied: {
      parts: splitCopies(runs, options),
      runs,
      bytes: runs.reduce((sum, run) => sum + run.bytes, 0),
      tarBytes: runs.reduce((sum, run) => sum + run.tarBytes, 0),
      frames: () => (previous === undefined ? [] : copiedFrames(previous, runs)),
      entries: () => (previous === undefined ? [] : copiedEntries(previous, runs)),
      database: previous === undefined ? undefined : copiedDatabase(previous, runs),
    },
    fresh,
    counts,
  };
}

/** What is copied is not kept as well: a copy costs nothing, and a part holds more than what is wanted of it. */
function keep(order: WalkOrder, taken: Taken, sent: SentParts | undefined): KeptData {
  if (sent === undefined) return NOTHING_KEPT;
  const kept = keepParts(sent, (entry) => order.isOpen(entry, taken), order.nestedCount());
  for (const entry of kept.entries()) order.take(entry.name, taken);
  return kept;
}

function reasonOf(
  previous: PreviousArchive | undefined,
  counts: PlanCounts,
  { minCopyBytes }: CopyLimits,
): FullReason {
  if (previous === undefined) return "no_previous";
  if (counts.unchanged === 0) return "nothing_unchanged";
  // However little has changed: a small site has nothing that S3 would copy.
  const last = previous.frames.at(-1);
  const dataBytes = last === undefined ? 0 : last.offset + last.compressedBytes;
  return dataBytes < minCopyBytes ? "below_minimum_part" : "too_fragmented";
}
