// The worker thread that checks an archive and writes nothing: every frame's hash, every entry against the index, the
// zeros at the tar's end, the dump. It goes on after a fault: one damaged frame must not hide the next.
import { workerData } from "node:worker_threads";
import { BackupError } from "#shared/errors.ts";
import type { ByteString } from "../../plan/byte-string.ts";
import {
  type CheckedEntries,
  type ExpectedEntry,
  readCheckedEntries,
} from "../../plan/restore/checked-entries.ts";
import { createDumpScan, type DumpFacts, type DumpScan } from "../../plan/restore/dump-scan.ts";
import { openFrame } from "./open-frame.ts";
import { serveFrames, type UnitWork } from "./serve-frames.ts";

export interface VerifyInput {
  readonly databaseName: ByteString;
  /** Only zeros follow in the tar. */
  readonly entriesEnd: number;
}

export interface UnitFindings {
  /** In words. */
  readonly faults: readonly string[];
  /** If the dump was in the unit, and whole. */
  readonly dump?: DumpFacts;
}

const { databaseName, entriesEnd } = workerData as VerifyInput;

function beginUnit(expected: readonly ExpectedEntry[]): UnitWork<UnitFindings> {
  const faults: string[] = [];
  let scan: DumpScan | undefined;
  let dump: DumpFacts | undefined;
  /** Undefined after a fault: what comes then cannot be told apart. */
  let entries: CheckedEntries | undefined = readCheckedEntries(expected, {
    begin: ({ entry }) => {
      scan = entry.name === databaseName ? createDumpScan() : undefined;
    },
    content: (bytes) => scan?.write(bytes),
    end: () => {
      dump = scan?.end() ?? dump;
      scan = undefined;
    },
  });
  const attempt = (check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      faults.push(error.message);
      entries = undefined;
    }
  };
  return {
    frame: (stored) =>
      attempt(() =>
        openFrame(stored.frame, stored.stored, (tarOffset, tar) => {
          checkEnd(tarOffset, tar);
          entries?.write(tarOffset, tar);
        }),
      ),
    end: () => {
      attempt(() => entries?.end());
      return { faults, ...(dump === undefined ? {} : { dump }) };
    },
  };
}

function checkEnd(tarOffset: number, tar: Uint8Array): void {
  const zeros = tar.subarray(Math.max(0, entriesEnd - tarOffset));
  if (zeros.some((byte) => byte !== 0)) {
    throw new BackupError("archive_corrupt", { detail: "The tar does not end with zeros" });
  }
}

serveFrames<readonly ExpectedEntry[], never, UnitFindings>({
  begin: beginUnit,
  ask: () => undefined,
  failure: "unexpected",
});
