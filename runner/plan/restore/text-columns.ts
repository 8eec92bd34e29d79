// Which columns of a table an address may be changed in, and what of a row is to be changed: the one rule for the dry run,
// which reads a dump, and for the real change, which asks the server. Pure.
import type { ByteString } from "../byte-string.ts";
import { replaceInValue } from "./replace-serialized.ts";
import type { CellChange, TextColumn, TextTable } from "./text-tables.ts";
import type { UrlReplacer } from "./url-pattern.ts";

export interface ColumnFacts {
  readonly name: string;
  /** In lower case, without its length. */
  readonly type: string;
  /** "" if it is none of text. */
  readonly charset: string;
  readonly collation: string;
  readonly maxBytes: number;
  readonly maxChars: number;
  readonly isGenerated: boolean;
  readonly setsItself: boolean;
  /** In the primary key, from 1; 0 if it is not in it. */
  readonly keyPlace: number;
}

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

export function textTableOf(name: string, columns: readonly ColumnFacts[]): TextTable {
  // A key that changed would move its row while the rows are gone through.
  const isText = (column: ColumnFacts): boolean =>
    TEXT_TYPES.has(column.type) &&
    column.keyPlace === 0 &&
    !column.isGenerated &&
    !WIDE_CHARSETS.test(column.charset) &&
    !isGuid(name, column.name);
  const key = columns.filter(({ keyPlace }) => keyPlace > 0).sort((a, b) => a.keyPlace - b.keyPlace);
  return {
    name,
    columns: columns.filter(isText).map((column) => ({
      name: column.name,
      charset: column.charset,
      collation: column.collation,
      maxLength: column.maxBytes,
      maxChars: column.maxChars,
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

export interface UrlTotals {
  tables: number;
  rows: number;
  values: number;
  /** What could not be changed, for people. */
  readonly skipped: string[];
}

export interface TableCount {
  /** Of the text columns, in their order; null for NULL. */
  see(cells: readonly (ByteString | null)[]): CellChange[];
  /** Adds it all up. */
  end(totals: UrlTotals): void;
}

export function countTable(table: TextTable, replacer: UrlReplacer): TableCount {
  let [rows, values] = [0, 0];
  const skipped: string[] = [];
  return {
    see(cells) {
      const changes: CellChange[] = [];
      for (const [index, column] of table.columns.entries()) {
        const cell = cells[index];
        if (cell === null || cell === undefined) continue;
        const { text, count } = replaceInValue(cell, replacer);
        if (count === 0) continue;
        if (fits(text, column)) changes.push({ column, oldHex: hex(cell), newHex: hex(text) });
        else skipped.push(`${table.name}.${column.name} is too short for the new address`);
      }
      rows += changes.length > 0 ? 1 : 0;
      values += changes.length;
      return changes;
    },
    end(totals) {
      totals.skipped.push(...skipped);
      if (table.key.length === 0) {
        if (rows > 0) totals.skipped.push(`${table.name} has no primary key: ${rows} rows`);
        return;
      }
      totals.tables += rows > 0 ? 1 : 0;
      totals.rows += rows;
      totals.values += values;
    },
  };
}

const hex = (text: ByteString): string => Buffer.from(text, "latin1").toString("hex");

function fits(text: ByteString, { charset, maxLength, maxChars }: TextColumn): boolean {
  if (text.length > maxLength) return false;
  // Of other character sets the server knows how long it is, and refuses it.
  const isUtf8 = charset.startsWith("utf8");
  return !isUtf8 || text.replace(/[\x80-\xbf]/g, "").length <= maxChars;
}
