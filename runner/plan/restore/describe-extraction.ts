// What was restored, in words. Pure.

import { formatBytes, formatSeconds } from "#shared/units.ts";
import type { BootOutcome } from "../proof/boot-outcome.ts";

export interface ExtractionFacts {
  readonly files: number;
  readonly filesBytes: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly dbBytes: number;
  readonly hasDb: boolean;
  readonly skipped: number;
  /** From the storage or the disk. */
  readonly bytesRead: number;
  readonly requests: number;
  readonly seconds: number;
  /** How far the archive was checked. */
  readonly trust: "record" | "index" | "none";
}

const TRUST: Readonly<Record<ExtractionFacts["trust"], string>> = {
  record: "every frame has the hash that the Master's record vouches for",
  index:
    "every frame has the hash that is in the archive's index; the index itself was not held against the Master's record",
  none: "nothing could be checked: the archive has no index (it is another tool's, or has lost its end)",
};

/** Lines for a person. */
export function describeExtraction(facts: ExtractionFacts): string[] {
  const { files, filesBytes, directories, symlinks, skipped } = facts;
  const others = `${count(directories, "directory", "directories")}, ${count(symlinks, "symbolic link")}`;
  return [
    ...(facts.hasDb ? [`database.sql: ${formatBytes(facts.dbBytes)}`] : []),
    `${count(files, "file")}: ${formatBytes(filesBytes)}; ${others}`,
    ...(skipped > 0
      ? [`${count(skipped, "device or pipe", "devices or pipes")} left out: backupd makes none`]
      : []),
    `read ${formatBytes(facts.bytesRead)} with ${count(facts.requests, "request")} in ${formatSeconds(facts.seconds)}`,
    `checked: ${TRUST[facts.trust]}`,
  ];
}

function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

export interface VerifiedFacts
  extends Pick<
    ExtractionFacts,
    "files" | "filesBytes" | "dbBytes" | "bytesRead" | "requests" | "seconds" | "trust"
  > {
  readonly frames: number;
  readonly entries: number;
  readonly tables: number;
  readonly findings: readonly { readonly message: string }[];
  readonly proof?: {
    readonly rows: number;
    readonly restoreSeconds: number;
    readonly warnings: readonly { readonly message: string }[];
    readonly boot?: BootOutcome;
  };
}

function bootLines(boot: BootOutcome | undefined): string[] {
  if (boot === undefined) return [];
  return boot.kind === "not-booted"
    ? [`WordPress was not booted: ${boot.why}`]
    : [`WordPress: HTTP ${boot.status} in ${formatSeconds(boot.seconds)}`];
}

const SHOWN_FINDINGS = 20;

/** Lines for a person. */
export function describeVerified(facts: VerifiedFacts): string[] {
  const { findings, proof } = facts;
  const hidden = findings.length - SHOWN_FINDINGS;
  return [
    ...findings.slice(0, SHOWN_FINDINGS).map(({ message }) => `✗ ${message}`),
    ...(hidden > 0 ? [`✗ and ${hidden} more`] : []),
    `${count(facts.files, "file")}: ${formatBytes(facts.filesBytes)}; ${count(facts.entries, "entry", "entries")} in ${count(facts.frames, "frame")}`,
    ...(proof?.warnings ?? []).map(({ message }) => `! ${message}`),
    `database: ${formatBytes(facts.dbBytes)}, ${count(facts.tables, "table")}${proof === undefined ? "" : `, ${count(proof.rows, "row")} after the import`}`,
    ...(proof === undefined
      ? []
      : [`a restore takes ${formatSeconds(proof.restoreSeconds)} here: download, extraction and import`]),
    ...bootLines(proof?.boot),
    `read ${formatBytes(facts.bytesRead)} with ${count(facts.requests, "request")} in ${formatSeconds(facts.seconds)}`,
    ...(findings.length > 0 ? [] : [`checked: ${TRUST[facts.trust]}`]),
    ...(findings.length === 0
      ? []
      : [
          "→ Do not delete older backups of this site; make a new one with `run-once --full`, and find out who can write to the bucket.",
        ]),
  ];
}
