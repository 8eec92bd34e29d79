// Plans a backup and packs what is to be packed: all that the packing thread does, apart from being a thread.
import { encodeEntry, type IndexEntry } from "#shared/format/index-entry.ts";
import { INDEX_FRAME_MAGIC, skippableFrame } from "#shared/format/skippable-frame.ts";
import { type CopyPlan, type CopyPlanner, createCopyPlanner } from "../plan/copy/plan-copies.ts";
import type { PreviousArchive } from "../plan/copy/previous-archive.ts";
import { RACY_WINDOW_NS } from "../plan/copy/racy.ts";
import type { KeptData } from "../plan/copy/sent-parts.ts";
import { decodeIndex } from "./decode-index.ts";
import { decodeSentParts } from "./decode-sent-parts.ts";
import { createEntryBlocks } from "./entry-blocks.ts";
import type { FrameSink } from "./frame-writer.ts";
import { packEntries } from "./pack-entries.ts";
import type { EntryBlock, PackInput, PackPlace, PackPlan, PackSummary } from "./pack-protocol.ts";
import { createPackWarnings, type PackWarnings } from "./pack-warnings.ts";
import { surveySite } from "./survey-site.ts";

export type PlanInput = Omit<PackInput, "frames" | "gate" | "usesIndex">;
/** Unreadable is one that cannot be used: the archive is packed in full, and says why. */
export type PreviousIndex = PreviousArchive | "none" | "unreadable";

export interface PlannedPack {
  readonly plan: CopyPlan;
  /** The plan for the owner. */
  readonly told: PackPlan;
  readonly warnings: PackWarnings;
}

/** `stored`: index frames. Synchronous inside. */
export async function readPreviousIndex(stored: Uint8Array | undefined): Promise<PreviousIndex> {
  if (stored === undefined) return "none";
  return await decodeIndex(stored).catch(() => "unreadable" as const);
}

/** A site as it was seen, compared with the archive that may be copied from. */
export interface Surveyed {
  readonly planner: CopyPlanner;
  /** The pack's go on in it. */
  readonly warnings: PackWarnings;
  readonly isUnreadable: boolean;
}

/** @throws BackupError `site_unreadable`, `archive_read_failed`. */
export function surveyAgainst(place: PackPlace, previous: PreviousIndex): Surveyed {
  const planner = createCopyPlanner(typeof previous === "string" ? undefined : previous);
  const warnings = createPackWarnings();
  surveySite(place, warnings, planner.see);
  return { planner, warnings, isUnreadable: previous === "unreadable" };
}

/** @throws BackupError `archive_read_failed`. */
export function planPack(input: PlanInput, { planner, warnings, isUnreadable }: Surveyed): PlannedPack {
  const sent = input.sent === undefined ? undefined : decodeSentParts(input.sent);
  const plan = planner.plan({
    ...input.limits,
    dumpSha256: input.dumpSha256,
    ...(sent === undefined ? {} : { sent }),
  });
  return { plan, told: ownersPlan(plan, isUnreadable), warnings };
}

export interface PackOutput {
  readonly sink: FrameSink;
  /** The next index frame, with the lines of kept, copied and packed entries. */
  readonly putIndex: (frame: Uint8Array) => void;
  /** After the frames that hold these entries, or their last byte. */
  readonly putEntries: (block: EntryBlock) => void;
}

/** @throws BackupError `site_unreadable`, `archive_read_failed`. */
export function packPlanned(
  input: PlanInput,
  { plan, warnings }: Pick<PlannedPack, "plan" | "warnings">,
  output: PackOutput,
): PackSummary {
  const { kept, copied, fresh } = plan;
  const index = createEntryBlocks((block) => output.putIndex(skippableFrame(INDEX_FRAME_MAGIC, block)));
  let tarEnd = 0;
  const ledger = createEntryBlocks((lines) => output.putEntries({ lines, tarEnd }));
  let [files, filesBytes, entries] = [0, 0, 0];
  const note = (entry: IndexEntry): string => {
    const line = encodeEntry(entry);
    index.add(line);
    if (entry.name === copied.database?.name) return line;
    entries += 1;
    if (entry.type === "f" || entry.type === "h") files += 1;
    filesBytes += entry.size;
    return line;
  };
  // As their bytes come.
  for (const entry of kept.entries()) note(entry);
  for (const entry of copied.entries()) note(entry);
  const { bytesRead, garbled } = packEntries({
    place: input,
    fresh,
    tarOffset: kept.tarBytes + copied.tarBytes,
    sink: {
      take: () => output.sink.take(),
      put(frame, length, inFrame) {
        output.sink.put(frame, length, inFrame);
        ledger.end();
      },
    },
    warnings,
    racyWindowNs: input.racyWindowNs ?? RACY_WINDOW_NS,
    onEntry(entry, end) {
      ledger.add(note(entry));
      tarEnd = end;
    },
  });
  index.end();
  ledger.end();
  const told = { warnings: warnings.list(), warningsTotal: warnings.total() };
  return { files, filesBytes, entries, bytesRead, garbled, ...told };
}

function ownersPlan(plan: CopyPlan, isUnreadable: boolean): PackPlan {
  const { mode, counts, kept, copied, fresh } = plan;
  return {
    mode,
    fullReason: isUnreadable ? "previous_unreadable" : plan.fullReason,
    counts,
    kept: {
      parts: kept.parts,
      bytes: kept.bytes,
      tarBytes: kept.tarBytes,
      frames: [...kept.frames()],
      blocks: keptBlocks(kept),
    },
    copied: {
      parts: copied.parts,
      bytes: copied.bytes,
      tarBytes: copied.tarBytes,
      frames: [...copied.frames()],
      database: copied.database ?? null,
    },
    freshBytes: fresh.fileBytes,
  };
}

function keptBlocks(kept: KeptData): EntryBlock[] {
  const made: EntryBlock[] = [];
  let tarEnd = 0;
  const blocks = createEntryBlocks((lines) => made.push({ lines, tarEnd }));
  for (const entry of kept.entries()) {
    tarEnd = entry.tarOffset;
    blocks.add(encodeEntry(entry));
  }
  tarEnd = kept.tarBytes;
  blocks.end();
  return made;
}
