// What a restore into a live site is asked for, what it gets to work with and what it tells: the seam between
// whoever starts it (the command line, a job), whoever reads archives, and the story in run-restore.ts.
import type { Stage } from "#shared/contracts/jobs.ts";
import type { RestorePart, RestoreResult } from "#shared/contracts/restores.ts";
import type { Log } from "./io/log.ts";
import type { ExtractProgress } from "./io/restore/extract-archive.ts";
import type { RevertDeps } from "./io/restore/revert-restore.ts";
import type { ByteString } from "./plan/byte-string.ts";
import type { Owner, OwnerMap } from "./plan/restore/owner-map.ts";

/** Both empty: everything. */
export interface Extraction {
  readonly only: readonly RestorePart[];
  /** Byte strings, as named in the archive, in addition to `only`. */
  readonly paths: readonly ByteString[];
}

export interface Measured {
  readonly files: number;
  readonly filesBytes: number;
  readonly dbBytes: number;
  /** The first names, for people. */
  readonly sample: readonly string[];
}

export interface Extracted {
  readonly files: number;
  readonly filesBytes: number;
  /** Of database.sql, if it was asked for. */
  readonly dbPath?: string;
  readonly dbBytes: number;
  readonly bytesDownloaded: number;
  readonly requests: number;
}

/** A backup to restore from. */
export interface RestoreSource {
  /** For people: the backup's id, or the file's name. */
  readonly name: string;
  /** Whose backup it is, if that is known. */
  readonly siteId: string | undefined;
  /** The site it was made of, by its own word, if that is all there is. */
  readonly madeOf?: string | undefined;
  /** Whose wp-content was, if that shows before it is extracted. */
  readonly owner?: Owner | undefined;
  /** What an extraction would write. Another tool's archive is read from end to end for that. */
  measure(what: Extraction, options: { readonly signal: AbortSignal }): Promise<Measured>;
  /** Fills the empty directory `into` with database.sql, wp-config.php and wp-content as asked for. */
  extract(
    into: string,
    what: Extraction,
    options: {
      readonly signal: AbortSignal;
      readonly onProgress?: (progress: ExtractProgress) => void;
      readonly owners?: OwnerMap | undefined;
    },
  ): Promise<Extracted>;
}

export interface RestoreRequest {
  readonly site: {
    readonly id: string;
    readonly name: string;
    readonly path: string;
    readonly exclude: readonly string[];
  };
  readonly only?: readonly RestorePart[] | undefined;
  readonly paths: readonly string[];
  /** The site's address is rewritten in the database to this one. */
  readonly newUrl?: string | undefined;
  readonly dryRun: boolean;
}

export interface RestoreDeps extends RevertDeps {
  readonly now: () => Date;
  readonly log: Log;
  /** As each begins. */
  readonly enter: (stage: Stage) => void;
}

export interface RestoreOutcome {
  readonly result: RestoreResult;
  /** Tables and views of the site that the backup does not have, and that went away, or would. */
  readonly removedTables: readonly string[];
  /** Of the backup, but not restored, because they are another site's in the same database. */
  readonly leftTables: readonly string[];
  /** Where the old address had to stay, for people. */
  readonly urlSkipped: readonly string[];
}

/** For the report. */
export function urlChangeOf({
  from,
  to,
  tables,
  rows,
  values,
}: NonNullable<RestoreResult["url_change"]>): RestoreResult["url_change"] {
  return { from, to, tables, rows, values };
}
