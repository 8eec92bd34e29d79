// What was restored, in words. Pure.
import { formatBytes, formatSeconds } from "#shared/units.ts";

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
