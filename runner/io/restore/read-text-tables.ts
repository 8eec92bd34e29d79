// The tables of a database with the columns that hold text, their keys, and what sets itself when a row is changed.
import { type ColumnFacts, textTableOf } from "../../plan/restore/text-columns.ts";
import type { TextTable } from "../../plan/restore/text-tables.ts";
import type { SqlSession } from "./sql-session.ts";

export interface TextTables {
  readonly names: ReadonlySet<string>;
  readonly tables: readonly TextTable[];
}

const COLUMNS = `
SELECT HEX(CONVERT(c.table_name USING utf8mb4)), HEX(CONVERT(c.column_name USING utf8mb4)), c.data_type,
    COALESCE(c.character_set_name, ''), COALESCE(c.collation_name, ''), COALESCE(c.character_octet_length, 0),
    COALESCE(c.character_maximum_length, 0), c.extra LIKE '%generated%', c.extra LIKE '%on update%',
    COALESCE(k.ordinal_position, 0)
  FROM information_schema.columns c
  JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  LEFT JOIN information_schema.key_column_usage k ON k.constraint_name = 'PRIMARY' AND k.table_schema = c.table_schema
    AND k.table_name = c.table_name AND k.column_name = c.column_name
  WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
  ORDER BY c.table_name, c.ordinal_position;`;

interface Column extends ColumnFacts {
  readonly table: string;
}

export async function readTextTables(session: SqlSession): Promise<TextTables> {
  const byTable = new Map<string, Column[]>();
  for (const row of await session.rows(COLUMNS)) {
    const column = columnOf(row);
    byTable.set(column.table, [...(byTable.get(column.table) ?? []), column]);
  }
  const tables = [...byTable].map(([name, columns]) => textTableOf(name, columns));
  return { names: new Set(byTable.keys()), tables: tables.filter(({ columns }) => columns.length > 0) };
}

function columnOf(row: readonly string[]): Column {
  const [table = "", name = "", type = "", charset = "", collation = "", bytes, chars, ...rest] = row;
  const [isGenerated, setsItself, keyPlace] = rest;
  const text = (hex: string): string => Buffer.from(hex, "hex").toString("utf8");
  return {
    table: text(table),
    name: text(name),
    type: type.toLowerCase(),
    charset,
    collation,
    maxBytes: Number(bytes),
    maxChars: Number(chars),
    isGenerated: isGenerated === "1",
    setsItself: setsItself === "1",
    keyPlace: Number(keyPlace),
  };
}
