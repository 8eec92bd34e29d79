// Reads an archive from end to end and says what is wrong with it, as data: every frame's hash, every entry of the tar
// against the index, the dump's hash and its last line. Finding nothing means that a restore will find what it needs.
import type { Finding } from "#shared/contracts/restores.ts";
import type { ExpectedEntry } from "../../plan/restore/checked-entries.ts";
import type { DumpFacts } from "../../plan/restore/dump-scan.ts";
import { planReads, type TarSpan } from "../../plan/restore/plan-reads.ts";
import { workerUrl } from "../worker-url.ts";
import { databaseNameOf, expectedEntry, tarEnd } from "./archive-entries.ts";
import type { ExtractProgress } from "./extract-archive.ts";
import { fetchUnits } from "./fetch-units.ts";
import { startFramePool } from "./frame-pool.ts";
import type { IndexedArchive } from "./open-archive.ts";
import type { UnitFindings, VerifyInput } from "./verify-worker.ts";

export interface VerifyOptions {
  readonly archive: IndexedArchive;
  /** Of the Master's record. */
  readonly sha256Dump?: string | undefined;
  /** What an extraction does not read: the tar's end, and what index and record say of the dump. */
  readonly isRestOnly?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ExtractProgress) => void;
}

export interface Verified {
  readonly frames: number;
  readonly entries: number;
  /** Files and further names of files; without the dump. */
  readonly files: number;
  readonly filesBytes: number;
  readonly dbBytes: number;
  readonly tables: number;
  /** Empty if nothing is wrong; the first ones otherwise. */
  readonly findings: readonly Finding[];
}

/** A report carries no more. */
const MAX_FINDINGS = 200;
/** Where the tar's end is read, no entry is. */
const END = -1;

/** @throws BackupError `storage_*`, `archive_missing`; the signal's reason. What is wrong with the archive is no error. */
export async function verifyArchive({
  archive,
  sha256Dump,
  isRestOnly = false,
  signal,
  onProgress,
}: VerifyOptions): Promise<Verified> {
  const { header, frames } = archive;
  const workerData: VerifyInput = { databaseName: databaseNameOf(archive), entriesEnd: header.entries_end };
  const faults: string[] = [];
  let dump: DumpFacts | undefined;
  let bytesDone = 0;
  onProgress?.({ bytesTotal: header.tar_bytes, bytesDone });
  await using pool = startFramePool<readonly ExpectedEntry[], never, UnitFindings>({
    worker: workerUrl("verify-worker", import.meta.url),
    workerData,
    signal,
    onFrame: (tarBytes) => {
      bytesDone += tarBytes;
      onProgress?.({ bytesTotal: header.tar_bytes, bytesDone });
    },
  });
  await fetchUnits({
    reader: archive.reader,
    frames,
    units: planReads(frames, isRestOnly ? endSpan(archive) : allSpans(archive)),
    signal: pool.signal,
    memory: pool.memory,
    begin({ spans }) {
      const entries = spans.filter(({ id }) => id !== END).map((span) => expectedEntry(archive, span));
      return pool.begin(entries, (result) => {
        faults.push(...result.faults);
        dump = result.dump ?? dump;
      });
    },
  });
  await pool.drained();
  const findings = [...faults, ...dumpFaults(archive, dump, sha256Dump)];
  return {
    ...countEntries(archive),
    frames: frames.length,
    tables: dump?.tables ?? 0,
    findings: findings.slice(0, MAX_FINDINGS).map((message) => ({ code: "archive_corrupt", message })),
  };
}

function* allSpans(archive: IndexedArchive): Generator<TarSpan> {
  const { entries } = archive;
  for (let id = 0; id < entries.count(); id += 1) {
    yield { id, from: entries.tarOffset(id), to: tarEnd(archive, id) };
  }
  yield* endSpan(archive);
}

function* endSpan({ header }: IndexedArchive): Generator<TarSpan> {
  yield { id: END, from: header.entries_end, to: header.tar_bytes };
}

function dumpFaults(
  { header: { database } }: IndexedArchive,
  dump: DumpFacts | undefined,
  sha256Dump: string | undefined,
): string[] {
  const faults: string[] = [];
  if (database === null) {
    if (sha256Dump !== undefined)
      faults.push("The archive has no database, but the Master's record says that it does");
    return faults;
  }
  if (sha256Dump !== undefined && sha256Dump !== database.sha256) {
    faults.push("The dump's hash in the index is not the one in the Master's record");
  }
  // Its frames are damaged, then, and that has been said: the index has an entry for it.
  if (dump === undefined) return faults;
  if (dump.bytes !== database.bytes || dump.sha256 !== database.sha256) {
    faults.push("The dump is not the one that was made: its hash is wrong");
  }
  if (!dump.isComplete) faults.push('The dump is cut off: it does not end with "-- Dump completed"');
  return faults;
}

function countEntries(
  archive: IndexedArchive,
): Pick<Verified, "entries" | "files" | "filesBytes" | "dbBytes"> {
  const { entries } = archive;
  const databaseName = databaseNameOf(archive);
  let [files, filesBytes, dbBytes] = [0, 0, 0];
  for (let id = 0; id < entries.count(); id += 1) {
    const type = entries.type(id);
    if (type === "f" && entries.name(id) === databaseName) dbBytes = entries.size(id);
    else if (type === "f" || type === "h") [files, filesBytes] = [files + 1, filesBytes + entries.size(id)];
  }
  return { entries: entries.count(), files, filesBytes, dbBytes };
}
