// Reads a dump once and says all that a proof wants to know of it.

import { type DumpFingerprint, fingerprintDump } from "../../plan/restore/dump-fingerprint.ts";
import { createDumpScan, type DumpFacts } from "../../plan/restore/dump-scan.ts";
import type { DumpSource } from "../restore/import-dump.ts";

export interface ReadDump {
  readonly facts: DumpFacts;
  readonly fingerprint: DumpFingerprint;
}

/** @throws what reading throws; the signal's reason. */
export async function readDump(source: DumpSource, signal: AbortSignal): Promise<ReadDump> {
  const scan = createDumpScan();
  const fingerprinter = fingerprintDump();
  for await (const chunk of source.bytes()) {
    signal.throwIfAborted();
    scan.write(chunk);
    fingerprinter.write(chunk);
  }
  return { facts: scan.end(), fingerprint: fingerprinter.end() };
}
