// How `restore --to` and `verify` ended, for people and for machines.
import type { Edge } from "./command-line.ts";
import type { FoundArchive } from "./find-archive.ts";
import type { Log } from "./io/log.ts";
import type { Extracted } from "./io/restore/extract-archive.ts";
import { describeExtraction, describeVerified } from "./plan/restore/describe-extraction.ts";
import type { RestoredTo } from "./restore-to.ts";
import type { VerifiedBackup } from "./verify.ts";

export interface RestoredEnd {
  readonly found: FoundArchive;
  readonly to: string;
  readonly dryRun: boolean;
  readonly restored: RestoredTo;
  readonly isJson: boolean;
}

export function sayRestored(
  { found, to, dryRun, restored, isJson }: RestoredEnd,
  { terminal }: Edge,
  log: Log,
): void {
  const { label, trust, record } = found;
  const { extracted, seconds } = restored;
  const { requests, bytes: bytesRead } = found.archive.reader.traffic();
  if (isJson) {
    const what = { backup: label, backup_id: record?.backup_id ?? null, to, ...eventOf(extracted) };
    const how = { bytes_downloaded: bytesRead, requests, seconds, trust };
    log.info(dryRun ? "restore.planned" : "restore.done", { ...what, ...how });
    return;
  }
  terminal.line(dryRun ? `Would restore ${label} into ${to}:` : `Restored ${label} into ${to}:`);
  if (extracted === undefined) {
    terminal.line("  another tool's archive: what it holds shows only when it is extracted");
    return;
  }
  const { dbPath, ...counts } = extracted;
  const facts = { ...counts, hasDb: dbPath !== undefined, bytesRead, requests, seconds, trust };
  for (const line of describeExtraction(facts)) terminal.line(`  ${line}`);
}

function eventOf(extracted: Extracted | undefined): Record<string, unknown> {
  if (extracted === undefined) return {};
  const { files, filesBytes, directories, symlinks, dbBytes, dbPath, skipped } = extracted;
  return {
    files,
    files_bytes: filesBytes,
    directories,
    symlinks,
    db_bytes: dbBytes,
    db_path: dbPath ?? null,
    skipped,
  };
}

export interface VerifiedEnd {
  readonly name: string;
  readonly verified: VerifiedBackup;
  readonly isDeep: boolean;
  readonly isJson: boolean;
}

export function sayVerified(
  { name, verified, isDeep, isJson }: VerifiedEnd,
  { terminal }: Edge,
  log: Log,
): void {
  const { findings, proof } = verified;
  if (isJson) {
    const { frames, entries, files, filesBytes, dbBytes, tables, trust, bytesRead, requests, seconds } =
      verified;
    const counts = { frames, entries, files, files_bytes: filesBytes, db_bytes: dbBytes, tables };
    const how = { bytes_downloaded: bytesRead, requests, seconds, trust };
    const proved = {
      rows: proof?.rows ?? null,
      restore_seconds: proof?.restoreSeconds ?? null,
      warnings: proof?.warnings ?? [],
      boot: proof?.boot ?? null,
    };
    log.info(findings.length === 0 ? "verify.good" : "verify.failed", {
      backup: name,
      deep: isDeep,
      findings,
      ...(isDeep ? proved : {}),
      ...counts,
      ...how,
    });
    return;
  }
  const good = isDeep ? "is proved: it was restored, and nothing was lost" : "is good";
  terminal.line(findings.length === 0 ? `${name} ${good}:` : `${name} is NOT good:`);
  for (const line of describeVerified(verified)) terminal.line(`  ${line}`);
}
