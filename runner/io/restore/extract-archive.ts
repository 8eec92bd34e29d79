// Fills an empty directory with what is wanted of an archive. The archive may be hostile: its sizes are held against
// the disk before anything is written, and what is written stays below that directory (tree-builder.ts).
import { BackupError } from "#shared/errors.ts";
import { formatBytes } from "#shared/units.ts";
import type { OwnerMap } from "../../plan/restore/owner-map.ts";
import { planReads, type TarSpan } from "../../plan/restore/plan-reads.ts";
import { type SelectedEntries, type Selection, selectEntries } from "../../plan/restore/select-entries.ts";
import { freeBytes } from "../disk.ts";
import { workerUrl } from "../worker-url.ts";
import { databaseNameOf, expectedEntry, tarEnd } from "./archive-entries.ts";
import type { ExtractInput, LateStep, UnitFile } from "./extract-protocol.ts";
import { fetchUnits } from "./fetch-units.ts";
import { type FramePool, startFramePool } from "./frame-pool.ts";
import type { IndexedArchive } from "./open-archive.ts";
import { openEmptyTarget } from "./open-target.ts";

export interface ExtractProgress {
  /** Of the files that are restored, and how much of it is read. */
  readonly bytesTotal: number;
  readonly bytesDone: number;
}

export interface ExtractOptions {
  readonly archive: IndexedArchive;
  readonly selection: Selection;
  /** Exists and is empty; the caller's to remove if this fails. */
  readonly targetDir: string;
  /** As on record, if undefined. */
  readonly owners?: OwnerMap | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ExtractProgress) => void;
}

export interface Extracted {
  /** Files and further names of files; without the dump. */
  readonly files: number;
  readonly filesBytes: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly dbBytes: number;
  /** Relative to the target; undefined if the dump was not restored. */
  readonly dbPath?: string;
  /** Devices and FIFOs in archives of other tools, which are never made. */
  readonly skipped: number;
}

type ExtractPool = FramePool<readonly UnitFile[], readonly LateStep[], void>;

const LATE_BATCH = 500;
const DISK_BLOCK_BYTES = 4096;

/** What of the archive is wanted, and what that amounts to: all that a dry run needs. @throws BackupError. */
export function planExtraction(
  archive: IndexedArchive,
  selection: Selection,
): { readonly selected: SelectedEntries; readonly result: Extracted } {
  const { entries } = archive;
  const databaseName = databaseNameOf(archive);
  const selected = selectEntries(entries, selection, databaseName);
  const dump = selected.files.find((id) => entries.name(id) === databaseName);
  const dbBytes = dump === undefined ? 0 : entries.size(dump);
  const result = {
    files: selected.files.length + selected.hardLinks.length - (dump === undefined ? 0 : 1),
    filesBytes: selected.bytes - dbBytes,
    directories: selected.directories.length,
    symlinks: selected.symlinks.length,
    dbBytes,
    skipped: 0,
    ...(dump === undefined ? {} : { dbPath: databaseName }),
  };
  return { selected, result };
}

/** @throws BackupError `archive_*`, `storage_*`, `disk_full`, `restore_*`; the signal's reason. */
export async function extractArchive(options: ExtractOptions): Promise<Extracted> {
  const { archive, signal, onProgress } = options;
  const { selected, result } = planExtraction(archive, options.selection);
  using target = await openEmptyTarget(options.targetDir);
  await checkSpace(options.targetDir, archive, selected);
  const bytesTotal = selected.bytes;
  let bytesDone = 0;
  onProgress?.({ bytesTotal, bytesDone });
  await using pool: ExtractPool = startFramePool({
    worker: workerUrl("extract-worker", import.meta.url),
    workerData: { root: target.prefix, owners: options.owners } satisfies ExtractInput,
    signal,
    onFrame: (tarBytes) => {
      bytesDone = Math.min(bytesTotal, bytesDone + tarBytes);
      onProgress?.({ bytesTotal, bytesDone });
    },
  });
  await fetchUnits({
    reader: archive.reader,
    frames: archive.frames,
    units: planReads(archive.frames, spansOf(archive, selected)),
    signal: pool.signal,
    memory: pool.memory,
    begin: ({ spans }) =>
      pool.begin(
        spans.map((span) => unitFile(archive, selected, span)),
        () => undefined,
      ),
  });
  await pool.drained();
  await finishTree(archive, selected, pool);
  onProgress?.({ bytesTotal, bytesDone: bytesTotal });
  return result;
}

async function checkSpace(
  targetDir: string,
  { entries }: IndexedArchive,
  { files }: SelectedEntries,
): Promise<void> {
  const needed = files.reduce(
    (sum, id) => sum + Math.ceil(entries.size(id) / DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES,
    0,
  );
  const free = await freeBytes(targetDir);
  if (needed <= free) return;
  throw new BackupError("disk_full", {
    detail: `The files need ${formatBytes(needed)}, but ${targetDir} has ${formatBytes(free)} free`,
    hint: "Free some space, or restore to another disk with --to.",
  });
}

function* spansOf(archive: IndexedArchive, { files }: SelectedEntries): Generator<TarSpan> {
  for (const id of files) yield { id, from: archive.entries.tarOffset(id), to: tarEnd(archive, id) };
}

function unitFile(archive: IndexedArchive, { renamed }: SelectedEntries, span: TarSpan): UnitFile {
  const expected = expectedEntry(archive, span);
  return { ...expected, name: renamed.get(span.id) ?? expected.entry.name };
}

async function finishTree(
  archive: IndexedArchive,
  selected: SelectedEntries,
  pool: ExtractPool,
): Promise<void> {
  let batch: LateStep[] = [];
  for (const step of lateSteps(archive, selected)) {
    batch.push(step);
    if (batch.length < LATE_BATCH) continue;
    await pool.ask(batch);
    batch = [];
  }
  if (batch.length > 0) await pool.ask(batch);
}

/** Directories last, and the deeper ones first: nothing changes a directory's time after it was set. */
function* lateSteps({ entries }: IndexedArchive, selected: SelectedEntries): Generator<LateStep> {
  for (const { name, target } of selected.hardLinks) yield { kind: "hardLink", name, target };
  for (const id of selected.symlinks) {
    const stat = entries.stat(id);
    yield { kind: "symlink", name: stat.name, target: stat.link ?? "", metadata: stat };
  }
  const byName = selected.directories.map((id) => entries.name(id)).sort();
  for (const name of byName.reverse())
    yield { kind: "directory", name, metadata: entries.stat(entries.find(name)) };
}
