// What a restore into a live site, or an undo, has done or would do, in words. Pure.
import type { RestoreResult } from "#shared/contracts/restores.ts";
import { formatBytes } from "#shared/units.ts";

export interface RestoreFacts {
  readonly result: RestoreResult;
  readonly removedTables: readonly string[];
  readonly leftTables: readonly string[];
  readonly urlSkipped: readonly string[];
}

const SHOWN_TABLES = 10;

/** Lines for a person. */
export function describeRestore(facts: RestoreFacts, siteName: string, source: string): string[] {
  const { result, removedTables, leftTables, urlSkipped } = facts;
  const { dry_run: isDry, files, files_bytes, db_bytes, tables, undo_until, kept_bytes, url_change } = result;
  const hasDatabase = db_bytes > 0;
  return [
    isDry ? `Would restore ${siteName} from ${source}:` : `Restored ${siteName} from ${source}:`,
    `  ${files} ${files === 1 ? "file" : "files"}: ${formatBytes(files_bytes)}`,
    ...(hasDatabase ? [`  database: ${tables} tables, ${formatBytes(db_bytes)} of SQL`] : []),
    ...listed(
      isDry ? "  tables that would go, as the backup has none of that name" : "  tables that went",
      removedTables,
    ),
    ...listed("  tables of another site in the same database, left alone", leftTables),
    ...(url_change === null ? [] : [describeUrl(url_change, isDry)]),
    ...listed("  the old address stays", urlSkipped),
    ...(undo_until === null
      ? []
      : [
          `  until ${undo_until.slice(0, 10)} it can be undone: backupd restore --undo --site ${siteName} (${formatBytes(kept_bytes)} are kept for that)`,
        ]),
    ...(isDry ? ["Nothing was changed."] : []),
  ];
}

function describeUrl(change: NonNullable<RestoreResult["url_change"]>, isDry: boolean): string {
  const { from, to, values, rows, tables } = change;
  return isDry
    ? `  address: ${from} would become ${to} in ${values} values of ${rows} rows in ${tables} tables`
    : `  address: ${from} is now ${to} in ${values} values of ${rows} rows in ${tables} tables`;
}

export interface UndoFacts {
  readonly source: string;
  readonly restoredAt: string;
  readonly putsBackDatabase: boolean;
  readonly paths: readonly string[];
}

/** Lines for a person. */
export function describeUndo(facts: UndoFacts, siteName: string, isDry: boolean): string[] {
  const { source, restoredAt, putsBackDatabase, paths } = facts;
  const what = [...(putsBackDatabase ? ["the database"] : []), ...paths].join(", ");
  const when = `as before the restore of ${restoredAt} from ${source}`;
  return [
    isDry ? `Would put back ${what} of ${siteName}, ${when}.` : `Put back ${what} of ${siteName}, ${when}.`,
    ...(isDry ? ["What has changed in them since would be lost. Nothing was changed."] : []),
  ];
}

function listed(title: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > SHOWN_TABLES ? ` and ${names.length - SHOWN_TABLES} more` : "";
  return [`${title}: ${names.slice(0, SHOWN_TABLES).join(", ")}${more}`];
}
