// What a new address would change in a dump that is not imported: by the rules of the real change (plan/restore/
// text-columns.ts), table by table, without a database.
import { type DumpLine, mapDumpLines } from "../../plan/restore/dump-lines.ts";
import { type DumpRow, readDumpRows } from "../../plan/restore/dump-rows.ts";
import { type DumpTable, readDumpSchema, storedAs } from "../../plan/restore/dump-schema.ts";
import { createStatementReader } from "../../plan/restore/dump-statements.ts";
import { countTable, type TableCount, textTableOf } from "../../plan/restore/text-columns.ts";
import type { TextTable } from "../../plan/restore/text-tables.ts";
import { normalUrl, type UrlReplacer, urlReplacer } from "../../plan/restore/url-pattern.ts";
import { checkHome, checkOneSite } from "../../plan/restore/url-scope.ts";
import type { UrlChanged } from "./change-url.ts";
import type { DumpSource } from "./import-dump.ts";

export interface CountUrlRequest {
  readonly tablePrefix: string | undefined;
  /** Of the dump: whether it is the site's own. */
  readonly isSites: (table: string) => boolean;
  readonly newUrl: string;
}

/** @throws BackupError `restore_failed` as the real change would; the signal's reason. */
export async function countUrl(
  source: DumpSource,
  { tablePrefix, isSites, newUrl }: CountUrlRequest,
  signal: AbortSignal,
): Promise<UrlChanged> {
  const { tables, home, prefix } = await readHome(source, tablePrefix, signal);
  const from = checkHome(home, prefix);
  const to = normalUrl(newUrl);
  const total = { from, to, tables: 0, rows: 0, values: 0, skipped: [] as string[] };
  if (from === to) return total;
  const replacer = urlReplacer({ from, to });
  const counters = new Map(
    [...tables.values()]
      .filter(({ name }) => isSites(name))
      .map((table) => [table.name, counterOf(table, replacer)]),
  );
  await eachRow(
    source,
    (name) => counters.has(name),
    (row) => counters.get(row.table)?.see(row),
    signal,
  );
  for (const { count } of [...counters.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) count.end(total);
  return total;
}

interface Home {
  readonly tables: ReadonlyMap<string, DumpTable>;
  readonly home: string;
  readonly prefix: string;
}

async function readHome(
  source: DumpSource,
  tablePrefix: string | undefined,
  signal: AbortSignal,
): Promise<Home> {
  const schema = readDumpSchema();
  const options = `${tablePrefix ?? ""}options`;
  let home = "";
  await eachRow(
    source,
    (name) => name === options,
    (row) => {
      const names =
        row.columns ??
        schema
          .tables()
          .get(options)
          ?.columns.map(({ name }) => name) ??
        [];
      const value = (column: string): string => row.values[names.indexOf(column)] ?? "";
      if (value("option_name") === "home")
        home = Buffer.from(value("option_value"), "latin1").toString("utf8");
    },
    signal,
    (line) => schema.see(line),
  );
  const tables = schema.tables();
  return { tables, home, prefix: checkOneSite(tablePrefix, new Set(tables.keys())) };
}

interface Counter {
  readonly name: string;
  readonly count: TableCount;
  readonly see: (row: DumpRow) => void;
}

function counterOf({ name, columns }: DumpTable, replacer: UrlReplacer): Counter {
  const table: TextTable = textTableOf(name, columns);
  const count = countTable(table, replacer);
  const inOrder = columns.map((column) => column.name);
  return {
    name,
    count,
    see({ columns: named, values }) {
      const names = named ?? inOrder;
      const cells = table.columns.map((column) => {
        const value = values[names.indexOf(column.name)] ?? null;
        return value === null || !value.includes(replacer.needle) ? null : storedAs(value, column.charset);
      });
      count.see(cells);
    },
  };
}

/** Only the INSERT statements of wanted tables are taken apart. */
async function eachRow(
  source: DumpSource,
  wants: (table: string) => boolean,
  see: (row: DumpRow) => void,
  signal: AbortSignal,
  alsoSee: (line: DumpLine) => void = () => undefined,
): Promise<void> {
  const statements = createStatementReader();
  const rows = readDumpRows(see);
  let isWanted = false;
  const inserts = mapDumpLines(source.bytes(), (line) => {
    alsoSee(line);
    const seen = statements.see(line);
    if (seen === undefined) return false;
    const { statement, isStart } = seen;
    if (isStart) {
      isWanted =
        statement.kind === "about" && /^(?:INSERT|REPLACE)\b/.test(line.head) && wants(statement.subject);
    }
    return isWanted;
  });
  for await (const piece of inserts) {
    signal.throwIfAborted();
    rows.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1"));
  }
  signal.throwIfAborted();
}
