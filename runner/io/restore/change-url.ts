// Rewrites a site's address in its database: table by table in the order of the primary key, some rows at a time in a
// transaction each, so that memory and locks stay small however large the site is.
import type { ByteString } from "../../plan/byte-string.ts";
import { tableOwnerOf } from "../../plan/restore/table-owner.ts";
import { countTable, type UrlTotals } from "../../plan/restore/text-columns.ts";
import { quoteName, selectRows, type TextTable, updateRow } from "../../plan/restore/text-tables.ts";
import { normalUrl, type UrlReplacer, urlReplacer } from "../../plan/restore/url-pattern.ts";
import { checkHome, checkOneSite } from "../../plan/restore/url-scope.ts";
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
  await using session = openSqlSession(db, signal);
  await session.rows(SESSION);
  const all = await readTextTables(session);
  const prefix = checkOneSite(tablePrefix, all.names);
  const owner = tableOwnerOf(prefix, all.names);
  const from = checkHome(await homeOption(session, prefix), prefix);
  const to = normalUrl(newUrl);
  const replacer = urlReplacer({ from, to });
  const total = { from, to, tables: 0, rows: 0, values: 0, skipped: [] as string[] };
  if (from === to) return total;
  for (const table of all.tables.filter(({ name }) => owner(name) === "site")) {
    await changeTable(session, table, replacer, total);
  }
  return total;
}

async function homeOption(session: SqlSession, tablePrefix: string): Promise<string> {
  const options = quoteName(`${tablePrefix}options`);
  const [row] = await session.rows(`SELECT HEX(option_value) FROM ${options} WHERE option_name = 'home';`);
  return Buffer.from(row?.[0] ?? "", "hex").toString("utf8");
}

async function changeTable(
  session: SqlSession,
  table: TextTable,
  replacer: UrlReplacer,
  total: UrlTotals,
): Promise<void> {
  const count = countTable(table, replacer);
  const hasKey = table.key.length > 0;
  let after: readonly string[] | undefined;
  for (;;) {
    const rows = await session.rows(selectRows(table, replacer.needle, after, ROWS_PER_BATCH));
    const updates = rows.flatMap((row) => {
      const changes = count.see(row.slice(table.key.length).map(cellOf));
      return changes.length === 0 ? [] : [updateRow(table, row.slice(0, table.key.length), changes)];
    });
    if (hasKey && updates.length > 0) await session.rows(`${updates.join("\n")}\nCOMMIT;`);
    after = rows.at(-1)?.slice(0, table.key.length);
    // Without a key all rows come at once.
    if (!hasKey || rows.length < ROWS_PER_BATCH) break;
  }
  count.end(total);
}

function cellOf(hex: string): ByteString | null {
  return hex === "NULL" ? null : Buffer.from(hex, "hex").toString("latin1");
}
