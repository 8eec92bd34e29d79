// The end of `restore --to`, for people and for machines.
import type { Edge } from "./command-line.ts";
import type { Log } from "./io/log.ts";
import type { Extracted } from "./io/restore/extract-archive.ts";
import { describeExtraction, type ExtractionFacts } from "./plan/restore/describe-extraction.ts";

export interface ExtractionEnd {
  readonly file: string;
  readonly to: string;
  readonly dryRun: boolean;
  readonly extracted: Extracted | undefined;
  readonly facts: Pick<ExtractionFacts, "bytesRead" | "requests" | "seconds" | "trust">;
  readonly isJson: boolean;
}

export function say(end: ExtractionEnd, { terminal }: Edge, log: Log): void {
  const { file, to, dryRun, extracted, facts } = end;
  if (end.isJson) {
    log.info(dryRun ? "restore.planned" : "restore.done", {
      backup: file,
      to,
      ...eventOf(extracted),
      ...eventFacts(facts),
    });
    return;
  }
  terminal.line(dryRun ? `Would restore ${file} into ${to}:` : `Restored ${file} into ${to}:`);
  if (extracted === undefined) {
    terminal.line("  another tool's archive: what it holds shows only when it is extracted");
    return;
  }
  const { dbPath, ...counts } = extracted;
  for (const line of describeExtraction({ ...counts, ...facts, hasDb: dbPath !== undefined }))
    terminal.line(`  ${line}`);
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

function eventFacts({
  bytesRead,
  requests,
  seconds,
  trust,
}: ExtractionEnd["facts"]): Record<string, unknown> {
  return { bytes_downloaded: bytesRead, requests, seconds, trust };
}
