// The options of a dump: everything in the database, in one consistent view, without what differs from run to run.

export interface DumpOptionsInput {
  readonly databaseName: string;
  /** What the dump program says of itself with `--version`. */
  readonly programVersion: string;
  readonly skip: { readonly events: boolean; readonly routines: boolean; readonly triggers: boolean };
}

export function dumpOptions(input: DumpOptionsInput): readonly string[] {
  const { skip } = input;
  return [
    "--single-transaction",
    "--quick",
    "--hex-blob",
    skip.routines ? "--skip-routines" : "--routines",
    skip.triggers ? "--skip-triggers" : "--triggers",
    skip.events ? "--skip-events" : "--events",
    "--no-tablespaces",
    "--skip-dump-date",
    "--default-character-set=utf8mb4",
    // The largest the protocol has: a row of 20 MiB must not end the dump.
    "--max-allowed-packet=1G",
    ...mysqlOptions(input.programVersion),
    "--",
    input.databaseName,
  ];
}

/** MySQL's own mysqldump since 5.6 and 8.0: without these its dump does not load into, or run against, others. */
function mysqlOptions(programVersion: string): readonly string[] {
  if (/mariadb/i.test(programVersion)) return [];
  const [, major = "0", minor = "0"] = /(?:Ver|Distrib) (\d+)\.(\d+)/.exec(programVersion) ?? [];
  // Up to 5.7 "Ver" is the client's own count (10.13) and "Distrib" the server's version.
  const distrib = /Distrib (\d+)\.(\d+)/.exec(programVersion);
  const [release, sub] =
    distrib === null ? [Number(major), Number(minor)] : [Number(distrib[1]), Number(distrib[2])];
  if (release >= 8) return ["--set-gtid-purged=OFF", "--column-statistics=0"];
  return release === 5 && sub >= 6 ? ["--set-gtid-purged=OFF"] : [];
}

/** The last line of a whole dump is `-- Dump completed`, or with `on <date>` if somebody's defaults say so. */
export const DUMP_COMPLETED: RegExp = /(?:^|\n)-- Dump completed[^\n]*\n?$/;
/** So much of the end has that line. */
export const DUMP_END_BYTES = 256;

/**
 * Whether the beginning of a dump tells of the first table, view or routine: mysqldump writes its header before it begins
 * its transaction (`--single-transaction`), and everything else after (client/mysqldump.c, main()).
 */
export function hasSnapshot(text: string): boolean {
  return /^(?:-- (?:Table|Temporary|Dumping|Final|Current)|DROP|CREATE|LOCK|INSERT) /m.test(text);
}
