// The tables of a database with the columns that hold text, their keys, and what sets itself when a row is changed.
import type { TextTable } from "../../plan/restore/text-tables.ts";
import type { SqlSession } from "./sql-session.ts";

export interface TextTables {
  readonly names: ReadonlySet<string>;
  readonly tables: readonly TextTable[];
}

const COLUMNS = `
SELECT HEX(CONVERT(c.table_name USING utf8mb4)), HEX(CONVERT(c.column_name USING utf8mb4)), c.data_type,
    COALESCE(c.character_set_name, ''), COALESCE(c.collation_name, ''), COALESCE(c.character_octet_length, 0),
    c.extra LIKE '%on update%', COALESCE(k.ordinal_position, 0)
  FROM information_schema.columns c
  JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  LEFT JOIN information_schema.key_column_usage k ON k.constraint_name = 'PRIMARY' AND k.table_schema = c.table_schema
    AND k.table_name = c.table_name AND k.column_name = c.column_name
  WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
  ORDER BY c.table_name, c.ordinal_position;`;

const TEXT_TYPES: ReadonlySet<string> = new Set([
  "char",
  "varchar",
  "tinytext",
  "text",
  "mediumtext",
  "longtext",
]);
/** In these an address is not the bytes that it is in ASCII. */
const WIDE_CHARSETS = /^(?:ucs2|utf16|utf16le|utf32)$/;

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly charset: string;
  readonly collation: string;
  readonly bytes: number;
  readonly setsItself: boolean;
  readonly keyPlace: number;
}

export async function readTextTables(session: SqlSession): Promise<TextTables> {
  const byTable = new Map<string, Column[]>();
  for (const row of await session.rows(COLUMNS)) {
    const column = columnOf(row);
    byTable.set(column.table, [...(byTable.get(column.table) ?? []), column]);
  }
  const tables = [...byTable].map(([name, columns]) => tableOf(name, columns));
  return { names: new Set(byTable.keys()), tables: tables.filter(({ columns }) => columns.length > 0) };
}

function columnOf(row: readonly string[]): Column {
  const [table = "", name = "", type = "", charset = "", collation = "", bytes, setsItself, keyPlace] = row;
  const text = (hex: string): string => Buffer.from(hex, "hex").toString("utf8");
  return {
    table: text(table),
    name: text(name),
    type: type.toLowerCase(),
    charset,
    collation,
    bytes: Number(bytes),
    setsItself: setsItself === "1",
    keyPlace: Number(keyPlace),
  };
}

function tableOf(name: string, columns: readonly Column[]): TextTable {
  // A key that changed would move its row while the rows are gone through.
  const isText = (column: Column): boolean =>
    TEXT_TYPES.has(column.type) &&
    column.keyPlace === 0 &&
    !WIDE_CHARSETS.test(column.charset) &&
    !isGuid(name, column.name);
  const key = columns.filter(({ keyPlace }) => keyPlace > 0).sort((a, b) => a.keyPlace - b.keyPlace);
  return {
    name,
    columns: columns.filter(isText).map((column) => ({
      name: column.name,
      charset: column.charset,
      collation: column.collation,
      maxLength: column.bytes,
    })),
    key: key.map(({ name: keyName, charset, collation }) => ({
      name: keyName,
      charset: charset === "" ? undefined : charset,
      collation: collation === "" ? undefined : collation,
    })),
    selfSetting: columns.filter(({ setsItself }) => setsItself).map((column) => column.name),
  };
}

/** Feed readers know posts by it; WordPress says that it never changes, also not with the address. */
function isGuid(table: string, column: string): boolean {
  return column === "guid" && table.endsWith("posts");
}
