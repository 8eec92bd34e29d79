// The story of a shallow verification: the archive is opened, read from end to end, and what is wrong is told as
// findings. An archive that cannot even be opened is a finding, too; a storage that does not answer is not.
import type { Finding } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import type { Clock } from "./clock.ts";
import type { FoundArchive } from "./find-archive.ts";
import type { ExtractProgress } from "./io/restore/extract-archive.ts";
import { readPlainList } from "./io/restore/list-plain.ts";
import { type Verified, verifyArchive } from "./io/restore/verify-archive.ts";
import type { BootOutcome } from "./plan/proof/boot-outcome.ts";

export interface VerifyDeps {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly onProgress?: (progress: ExtractProgress) => void;
}

export interface VerifiedBackup extends Verified {
  readonly trust: FoundArchive["trust"];
  readonly bytesRead: number;
  readonly requests: number;
  readonly seconds: number;
  /** If the verification was deep and came to its end. */
  readonly proof?: Proof;
}

export interface Proof {
  /** In all tables after the import. */
  readonly rows: number;
  /** Download, extraction and import. */
  readonly restoreSeconds: number;
  /** What is no fault of the backup, but should be known. */
  readonly warnings: readonly Finding[];
  /** If that was asked for. */
  readonly boot?: BootOutcome;
}

export const NOTHING_READ: Omit<Verified, "findings"> = {
  frames: 0,
  entries: 0,
  files: 0,
  filesBytes: 0,
  dbBytes: 0,
  tables: 0,
};

/** @throws BackupError `storage_*`, `archive_missing`; the signal's reason. */
export async function verify(open: () => Promise<FoundArchive>, deps: VerifyDeps): Promise<VerifiedBackup> {
  const startedMs = deps.clock.monotonicMs();
  const seconds = (): number => (deps.clock.monotonicMs() - startedMs) / 1000;
  try {
    await using found = await open();
    const verified = await verifyOpen(found, deps);
    const { bytes: bytesRead, requests } = found.archive.reader.traffic();
    return { ...verified, trust: found.trust, bytesRead, requests, seconds: seconds() };
  } catch (error) {
    const findings = [asFinding(error)];
    return { ...NOTHING_READ, trust: "none", bytesRead: 0, requests: 0, seconds: seconds(), findings };
  }
}

export async function verifyOpen(
  { archive, record }: FoundArchive,
  { signal, onProgress }: Pick<VerifyDeps, "signal" | "onProgress">,
): Promise<Verified> {
  if (archive.kind === "indexed") {
    const how = { signal, ...(onProgress === undefined ? {} : { onProgress }) };
    return await verifyArchive({ archive, sha256Dump: record?.sha256_dump, ...how });
  }
  let [entries, files, filesBytes] = [0, 0, 0];
  await readPlainList(
    archive,
    ({ type, size }) => {
      entries += 1;
      if (type === "f" || type === "h") [files, filesBytes] = [files + 1, filesBytes + size];
    },
    signal,
  );
  return { ...NOTHING_READ, entries, files, filesBytes, findings: [] };
}

/** Only what is wrong with the archive; everything else goes on. */
export function asFinding(error: unknown): Finding {
  if (!(error instanceof BackupError) || error.code !== "archive_corrupt") throw error;
  return { code: error.code, message: error.message.slice(0, 2000) };
}
