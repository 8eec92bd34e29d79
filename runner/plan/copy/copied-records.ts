// What the new archive's index says about copied data: the previous records, moved to their new place.
import type { IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import type { CopyRun } from "./choose-runs.ts";
import type { PreviousArchive } from "./previous-archive.ts";

/** A run and where it starts in the new object and the new tar. */
export interface PlacedRun extends CopyRun {
  readonly newOffset: number;
  readonly newTarOffset: number;
}

/** The runs one after another, in their old order, from that place on. */
export function placeRuns(
  runs: readonly CopyRun[],
  from: { readonly bytes: number; readonly tarBytes: number } = { bytes: 0, tarBytes: 0 },
): PlacedRun[] {
  let newOffset = from.bytes;
  let newTarOffset = from.tarBytes;
  return runs.map((run) => {
    const placed = { ...run, newOffset, newTarOffset };
    newOffset += run.bytes;
    newTarOffset += run.tarBytes;
    return placed;
  });
}

export function* copiedFrames(archive: PreviousArchive, runs: readonly PlacedRun[]): Generator<FrameRecord> {
  for (const run of runs) {
    for (const frame of archive.frames.slice(run.firstFrame, run.firstFrame + run.frames)) {
      yield {
        ...frame,
        offset: frame.offset - run.offset + run.newOffset,
        tarOffset: frame.tarOffset - run.tarOffset + run.newTarOffset,
      };
    }
  }
}

export function* copiedEntries(archive: PreviousArchive, runs: readonly PlacedRun[]): Generator<IndexEntry> {
  for (const run of runs) {
    const shift = run.newTarOffset - run.tarOffset;
    for (let entry = run.firstEntry; entry < run.firstEntry + run.entries; entry += 1) {
      const { entries } = archive;
      yield {
        ...entries.stat(entry),
        tarOffset: entries.tarOffset(entry) + shift,
        flags: entries.flags(entry),
      };
    }
  }
}

/** The header's `database` if the dump was copied, otherwise undefined. */
export function copiedDatabase(
  archive: PreviousArchive,
  runs: readonly PlacedRun[],
): NonNullable<IndexHeader["database"]> | undefined {
  const database = archive.header.database;
  if (database === null) return undefined;
  const run = runs.find(
    ({ tarOffset, tarBytes }) =>
      tarOffset <= database.tar_offset && database.tar_offset < tarOffset + tarBytes,
  );
  if (run === undefined) return undefined;
  return { ...database, tar_offset: database.tar_offset - run.tarOffset + run.newTarOffset };
}
