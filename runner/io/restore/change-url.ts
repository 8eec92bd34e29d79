// Rewrites a site's address in its database: table by table in the order of the primary key, some rows at a time in a
// transaction each, so that memory and locks stay small however large the site is.
import { BackupError } from "#shared/errors.ts";
import { replaceInValue } from "../../plan/restore/replace-serialized.ts";
import { tableOwnerOf } from "../../plan/restore/table-owner.ts";
import {
  type CellChange,
  quoteName,
  selectRows,
  type TextTable,
  updateRow,
} from "../../plan/restore/text-tables.ts";
import { normalUrl, type UrlReplacer, urlReplacer } from "../../plan/restore/url-pattern.ts";
import type { Site } from "../site.ts";
import { readTextTables } from "./read-text-tables.ts";
import { openSqlSession, type SqlSession } from "./sql-session.ts";

export interface UrlChanged {
  readonly from: string;
  readonly to: string;
  readonly tables: number;
  readonly rows: number;
  readonly values: number;
  /** What could not be changed, for people. */
  readonly skipped: readonly string[];
}

const ROWS_PER_BATCH = 200;
const SESSION = "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES', autocommit = 0;";

/** @throws BackupError `import_failed`, `restore_failed`, `db_*`; the signal's reason. Some batches may be done then. */
export async function changeUrl(
  { db, tablePrefix }: Pick<Site, "db" | "tablePrefix">,
  newUrl: string,
  signal: AbortSignal,
): Promise<UrlChanged> {
  if (tablePrefix === undefined) {
    throw new BackupError("restore_failed", {
      detail: "The site's $table_prefix is not known, so its address is not",
    });
  }
  await using session = openSqlSession(db, signal);
  await session.rows(SESSION);
  const all = await readTextTables(session);
  const owner = tableOwnerOf(tablePrefix, all.names);
  if (all.names.has(`${tablePrefix}blogs`)) {
    throw new BackupError("restore_failed", {
      detail: "The site is a network, whose addresses are also in wp-config.php and in tables of domains",
      hint: "Restore without a new URL, and change the network's addresses as WordPress' handbook says.",
    });
  }
  const from = await currentUrl(session, tablePrefix);
  const to = normalUrl(newUrl);
  const replacer = urlReplacer({ from, to });
  const total = { from, to, tables: 0, rows: 0, values: 0, skipped: [] as string[] };
  if (from === to) return total;
  for (const table of all.tables.filter(({ name }) => owner(name) === "site")) {
    const changed = await changeTable(session, table, replacer);
    total.tables += changed.rows > 0 ? 1 : 0;
    total.rows += changed.rows;
    total.values += changed.values;
    total.skipped.push(...changed.skipped);
  }
  return total;
}

async function currentUrl(session: SqlSession, tablePrefix: string): Promise<string> {
  const options = quoteName(`${tablePrefix}options`);
  const [row] = await session.rows(`SELECT HEX(option_value) FROM ${options} WHERE option_name = 'home';`);
  const url = Buffer.from(row?.[0] ?? "", "hex").toString("utf8");
  try {
    return normalUrl(url);
  } catch (error) {
    throw new BackupError("restore_failed", {
      detail: `The site's address in ${tablePrefix}options is ${url === "" ? "not there" : url}`,
      cause: error,
    });
  }
}

interface TableChanged {
  rows: number;
  values: number;
  readonly skipped: string[];
}

async function changeTable(
  session: SqlSession,
  table: TextTable,
  replacer: UrlReplacer,
): Promise<TableChanged> {
  const done: TableChanged = { rows: 0, values: 0, skipped: [] };
  let after: readonly string[] | undefined;
  for (;;) {
    const rows = await session.rows(selectRows(table, replacer.needle, after, ROWS_PER_BATCH));
    const updates = rows.flatMap((row) => changeRow(table, row, replacer, done));
    if (table.key.length === 0) {
      if (updates.length > 0) done.skipped.push(`${table.name} has no primary key: ${updates.length} rows`);
      return { ...done, rows: 0, values: 0 };
    }
    if (updates.length > 0) await session.rows(`${updates.join("\n")}\nCOMMIT;`);
    after = rows.at(-1)?.slice(0, table.key.length);
    if (rows.length < ROWS_PER_BATCH) return done;
  }
}

function changeRow(
  table: TextTable,
  row: readonly string[],
  replacer: UrlReplacer,
  done: TableChanged,
): string[] {
  const key = row.slice(0, table.key.length);
  const changes: CellChange[] = [];
  for (const [index, column] of table.columns.entries()) {
    const oldHex = row[table.key.length + index] ?? "NULL";
    if (oldHex === "NULL") continue;
    const { text, count } = replaceInValue(Buffer.from(oldHex, "hex").toString("latin1"), replacer);
    if (count === 0) continue;
    if (text.length > column.maxLength) {
      done.skipped.push(`${table.name}.${column.name} is too short for the new address`);
      continue;
    }
    changes.push({ column, oldHex, newHex: Buffer.from(text, "latin1").toString("hex") });
  }
  if (changes.length === 0) return [];
  done.rows += 1;
  done.values += changes.length;
  return [updateRow(table, key, changes)];
}
