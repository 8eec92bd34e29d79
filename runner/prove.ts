// The story of a proof, the deep verification: the backup is restored as after a disaster, into a directory and a server of
// its own, and what came out is held against what was backed up. Nothing of it touches the site, and nothing is left of it.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { formatBytes } from "#shared/units.ts";
import type { FoundArchive } from "./find-archive.ts";
import { freeBytes } from "./io/disk.ts";
import { type BootRequest, bootSite } from "./io/proof/boot-site.ts";
import { compareTree } from "./io/proof/compare-tree.ts";
import { type Cage, type FindProgram, findCage } from "./io/proof/php-cage.ts";
import { type ProvedDump, proveDump } from "./io/proof/prove-dump.ts";
import { type ReadDump, readDump } from "./io/proof/read-dump.ts";
import { findServerProgram, SERVER_FILES_BYTES } from "./io/proof/server-home.ts";
import { type Extracted, extractArchive, planExtraction } from "./io/restore/extract-archive.ts";
import { extractPlain } from "./io/restore/extract-plain.ts";
import { openPlainDump } from "./io/restore/plain-dump.ts";
import { type Verified, verifyArchive } from "./io/restore/verify-archive.ts";
import { type BootOutcome, notBooted } from "./plan/proof/boot-outcome.ts";
import { asFinding, NOTHING_READ, type VerifiedBackup, type VerifyDeps, verifyOpen } from "./verify.ts";

export interface ProveDeps extends VerifyDeps {
  /** Exists, is ours alone and empty; the caller's to remove, with whatever still works in it. */
  readonly scratchDir: string;
  readonly enter: (stage: "read" | "extract" | "import" | "compare" | "boot") => void;
  /** The restored WordPress is to be asked for its front page, too. */
  readonly boot?: BootWish;
}

export interface BootWish {
  /** The live site that the backup is of, if it is on this node. */
  readonly live: (siteId: string | undefined) => Promise<BootRequest["live"]>;
  /** Where the cage's programs are. */
  readonly find?: FindProgram;
}

/** The imported tables with their indexes, the server's log, and the second dump, for each byte of the first. */
const SPACE_PER_DUMP_BYTE = 3;
const MAX_FINDINGS = 200;

type Outcome = Verified & Pick<VerifiedBackup, "proof">;

/** @throws BackupError `proof_*`, `storage_*`, `archive_missing`, `disk_full`; the signal's reason. */
export async function prove(open: () => Promise<FoundArchive>, deps: ProveDeps): Promise<VerifiedBackup> {
  const startedMs = deps.clock.monotonicMs();
  const seconds = (): number => (deps.clock.monotonicMs() - startedMs) / 1000;
  await findServerProgram(deps.signal); // Before anything is downloaded.
  try {
    deps.enter("read");
    await using found = await open();
    const outcome = await proveOpen(found, startedMs, deps);
    const { bytes: bytesRead, requests } = found.archive.reader.traffic();
    return { ...outcome, trust: found.trust, bytesRead, requests, seconds: seconds() };
  } catch (error) {
    const findings = [asFinding(error)];
    return { ...NOTHING_READ, trust: "none", bytesRead: 0, requests: 0, seconds: seconds(), findings };
  }
}

async function proveOpen(found: FoundArchive, startedMs: number, deps: ProveDeps): Promise<Outcome> {
  const { scratchDir, signal, clock } = deps;
  await checkSpace(found, scratchDir);
  const siteDir = join(scratchDir, "site");
  await mkdir(siteDir, { mode: 0o700 });
  deps.enter("extract");
  const cage = deps.boot === undefined ? undefined : await findCage(deps.boot.find);
  const extracted = await extract(found, siteDir, cage, deps);
  // Not whole: now everything that is wrong with it is wanted, not the first thing only.
  if (extracted instanceof BackupError) {
    const verified = await verifyOpen(found, deps);
    return verified.findings.length > 0 ? verified : { ...verified, findings: [asFinding(extracted)] };
  }
  const extractSeconds = (clock.monotonicMs() - startedMs) / 1000;
  deps.enter("compare");
  const counts = await compareFiles(found, siteDir, extracted, signal);
  const { dbPath } = extracted;
  if (dbPath === undefined) return { ...counts, findings: [...counts.findings, NO_DATABASE] };
  const source = openPlainDump(join(siteDir, dbPath));
  const dump = await readDump(source, signal);
  const tables = dump.facts.tables;
  const findings = [...counts.findings, ...dumpFindings(found, dump)];
  if (findings.length > 0) return { ...counts, tables, findings: findings.slice(0, MAX_FINDINGS) };
  const proved = await proveDump(source, {
    fingerprint: dump.fingerprint,
    dir: scratchDir,
    signal,
    monotonicMs: () => clock.monotonicMs(),
    enter: deps.enter,
    ...(cage === undefined
      ? {}
      : { boot: (db, socketFile) => boot(cage, { db, socketFile, extractedDir: siteDir }, found, deps) }),
    onBytes: (bytesDone) => deps.onProgress?.({ bytesTotal: dump.facts.bytes, bytesDone }),
  });
  return { ...counts, ...outcomeOf(proved, extractSeconds) };
}

const NO_DATABASE: Finding = { code: "no_database", message: "The archive has no database.sql to prove" };

function outcomeOf(
  { findings, warnings, importSeconds, tables, rows, boot: trial }: ProvedDump,
  extractSeconds: number,
): Pick<Outcome, "findings" | "tables" | "proof"> {
  const seen = trial?.kind === "booted" ? trial : { findings: [], warnings: [] };
  return {
    findings: [...findings, ...seen.findings],
    tables,
    proof: {
      rows,
      warnings: [...warnings, ...seen.warnings],
      restoreSeconds: extractSeconds + importSeconds,
      ...(trial === undefined ? {} : { boot: trial }),
    },
  };
}

/** `cage`: a text says why there is none. */
async function boot(
  cage: Cage | string,
  place: Pick<BootRequest, "db" | "socketFile" | "extractedDir">,
  { record }: FoundArchive,
  { boot: wish, scratchDir, signal }: ProveDeps,
): Promise<BootOutcome> {
  if (typeof cage === "string") return notBooted(cage);
  const dir = join(scratchDir, "boot");
  await mkdir(dir, { mode: 0o700 });
  const live = await wish?.live(record?.site_id);
  return await bootSite({ ...place, cage, live, dir, signal });
}

/** For people who wait an hour only to read that the disk is full. */
async function checkSpace({ archive }: FoundArchive, dir: string): Promise<void> {
  if (archive.kind !== "indexed") return;
  const { result } = planExtraction(archive, {});
  const needed = result.filesBytes + result.dbBytes * (1 + SPACE_PER_DUMP_BYTE) + SERVER_FILES_BYTES;
  const free = await freeBytes(dir);
  if (needed <= free) return;
  throw new BackupError("disk_full", {
    detail: `A proof of this backup needs ${formatBytes(needed)}, but ${dir} has ${formatBytes(free)} free`,
    hint: "Free some space, or prove the backup on another node: backupd verify FILE --deep.",
  });
}

/** The error if the archive is damaged. */
async function extract(
  { archive }: FoundArchive,
  targetDir: string,
  cage: Cage | string | undefined,
  { signal, onProgress }: ProveDeps,
): Promise<Extracted | BackupError> {
  // What is tried in a cage belongs to who is in there.
  const owners =
    typeof cage === "object"
      ? { to: { uid: cage.uid, gid: cage.uid }, knownUids: [], knownGids: [] }
      : undefined;
  const how = {
    selection: {},
    targetDir,
    owners,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  };
  try {
    return archive.kind === "indexed"
      ? await extractArchive({ archive, ...how })
      : await extractPlain({ archive, ...how });
  } catch (error) {
    if (archive.kind === "indexed" && error instanceof BackupError && error.code === "archive_corrupt") {
      return error;
    }
    throw error;
  }
}

async function compareFiles(
  { archive, record }: FoundArchive,
  siteDir: string,
  extracted: Extracted,
  signal: AbortSignal,
): Promise<Verified> {
  if (archive.kind !== "indexed") {
    const { files, filesBytes, dbBytes, directories, symlinks } = extracted;
    const entries = files + directories + symlinks + (extracted.dbPath === undefined ? 0 : 1);
    return { ...NOTHING_READ, entries, files, filesBytes, dbBytes, findings: [] };
  }
  const rest = await verifyArchive({ archive, sha256Dump: record?.sha256_dump, isRestOnly: true, signal });
  const faults = await compareTree(archive, siteDir, { max: MAX_FINDINGS, signal });
  const findings = faults.map((message) => ({ code: "archive_corrupt", message: message.slice(0, 2000) }));
  return { ...rest, findings: [...rest.findings, ...findings] };
}

function dumpFindings({ archive }: FoundArchive, { facts }: ReadDump): Finding[] {
  const corrupt = (message: string): Finding => ({ code: "archive_corrupt", message });
  const said = archive.kind === "indexed" ? archive.header.database : null;
  return [
    ...(said !== null && said.sha256 !== facts.sha256
      ? [corrupt("The dump is not the one that was made: its hash is wrong")]
      : []),
    ...(facts.isComplete ? [] : [corrupt('The dump is cut off: it does not end with "-- Dump completed"')]),
    ...(facts.tables > 0 ? [] : [{ code: "dump_unusable", message: "The dump makes no table at all" }]),
  ];
}
