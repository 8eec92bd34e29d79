// The tables of a dump with their columns, from the CREATE TABLE statements as servers write them: a column or a key a line.
// Pure.
import { toBytes } from "../byte-string.ts";
import type { DumpLine } from "./dump-lines.ts";
import { createStatementReader } from "./dump-statements.ts";
import type { ColumnFacts } from "./text-columns.ts";

export interface DumpTable {
  readonly name: string;
  /** In the order of the rows' values. */
  readonly columns: readonly ColumnFacts[];
}

export interface DumpSchema {
  see(line: DumpLine): void;
  tables(): ReadonlyMap<string, DumpTable>;
}

const NAME = "`((?:[^`]|``)+)`";
const COLUMN = new RegExp(
  `^\\s+${NAME} (\\w+)(?:\\(([^)]*)\\))?(?: CHARACTER SET (\\w+))?(?: COLLATE (\\w+))?`,
);
const PRIMARY_KEY = /^\s+PRIMARY KEY \((.*)\)/;
const KEY_PART = new RegExp(NAME, "g");
const TABLE_CHARSET = /DEFAULT CHARSET=(\w+)/;

interface OpenTable {
  readonly name: string;
  readonly columns: ColumnFacts[];
  key: readonly string[];
}

export function readDumpSchema(): DumpSchema {
  const statements = createStatementReader();
  const tables = new Map<string, DumpTable>();
  let open: OpenTable | undefined;
  return {
    see(line) {
      const seen = statements.see(line);
      if (seen?.statement.kind !== "create-table") return;
      if (seen.isStart) {
        open = { name: seen.statement.subject, columns: [], key: [] };
      } else if (open !== undefined && line.head.startsWith(")")) {
        tables.set(open.name, finished(open, TABLE_CHARSET.exec(line.head)?.[1] ?? ""));
        open = undefined;
      } else if (open !== undefined) {
        seeLine(open, line.head);
      }
    },
    tables: () => tables,
  };
}

function seeLine(table: OpenTable, head: string): void {
  const key = PRIMARY_KEY.exec(head)?.[1];
  if (key !== undefined) table.key = [...key.matchAll(KEY_PART)].map(([, name = ""]) => nameOf(name));
  const found = COLUMN.exec(head);
  if (found === null) return;
  const [whole, name = "", type = "", size = "", charset, collation = ""] = found;
  const rest = head.slice(whole.length);
  table.columns.push({
    name: nameOf(name),
    type: type.toLowerCase(),
    charset: charset ?? collation.split("_")[0] ?? "",
    collation,
    maxBytes: Number(size) || 0,
    maxChars: Number(size) || 0,
    isGenerated: /^[^']*\b(?:GENERATED ALWAYS|AS \()/.test(rest),
    setsItself: /\bON UPDATE\b/i.test(rest),
    keyPlace: 0,
  });
}

/** Of those of several bytes; all others have one. */
const BYTES_PER_CHAR: Readonly<Record<string, number>> = {
  utf8mb4: 4,
  gb18030: 4,
  utf8: 3,
  utf8mb3: 3,
  ujis: 3,
  eucjpms: 3,
  gbk: 2,
  gb2312: 2,
  big5: 2,
  sjis: 2,
  cp932: 2,
  euckr: 2,
  ucs2: 2,
};
const TEXT_BYTES: Readonly<Record<string, number>> = {
  tinytext: 255,
  text: 65_535,
  mediumtext: 16_777_215,
  longtext: 4_294_967_295,
};

function finished({ name, columns, key }: OpenTable, tableCharset: string): DumpTable {
  return {
    name,
    columns: columns.map((column) => {
      const charset = column.charset === "" ? tableCharset : column.charset;
      const textBytes = TEXT_BYTES[column.type];
      const maxChars = textBytes ?? (column.maxChars || 1);
      const maxBytes = textBytes ?? maxChars * (BYTES_PER_CHAR[charset] ?? 1);
      return { ...column, charset, maxChars, maxBytes, keyPlace: key.indexOf(column.name) + 1 };
    }),
  };
}

function nameOf(quoted: string): string {
  return toBytes(quoted).toString("utf8").replaceAll("``", "`");
}

/** The stored bytes of a value whose dump is in UTF-8. Where only PHP's lengths matter, any byte does for a character. */
export function storedAs(value: string, charset: string): string {
  if (charset.startsWith("utf8") || !/[\x80-\xff]/.test(value)) return value;
  const byte = "\xff".repeat(Math.min(2, BYTES_PER_CHAR[charset] ?? 1));
  return value.replace(/[\xc0-\xf7][\x80-\xbf]+/g, byte);
}
