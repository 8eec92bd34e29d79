// Which tables and columns an address may stand in, and the SQL that goes through them by primary key. Pure: names and
// values come from a database that may be hostile, so names are quoted and values are hex.

export interface TextColumn {
  readonly name: string;
  readonly charset: string;
  readonly collation: string;
  /** Bytes. */
  readonly maxLength: number;
  /** What varchars count. */
  readonly maxChars: number;
}

export interface KeyColumn {
  readonly name: string;
  /** Undefined if it is a number, a time or bytes. */
  readonly charset: string | undefined;
  readonly collation: string | undefined;
}

export interface TextTable {
  readonly name: string;
  readonly columns: readonly TextColumn[];
  /** [] if there is none. */
  readonly key: readonly KeyColumn[];
  /** Columns that a change of the row would set to now. */
  readonly selfSetting: readonly string[];
}

export const quoteName = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

const textLiteral = (hex: string, charset: string | undefined): string =>
  charset === undefined ? `X'${hex}'` : `_${charset} X'${hex}'`;

/** Hex of the bytes as stored; of a number, of its digits. */
export type KeyValue = readonly string[];

/** Rows with `needle` in them, after `after` in the order of the key: the key's hex, then each column's hex or NULL. */
export function selectRows(
  table: TextTable,
  needle: string,
  after: KeyValue | undefined,
  limit: number,
): string {
  const key = table.key.map(({ name }) => quoteName(name));
  const hex = [
    ...key.map((name) => `HEX(CAST(${name} AS BINARY))`),
    ...table.columns.map(({ name }) => `HEX(${quoteName(name)})`),
  ];
  const pattern = Buffer.from(`%${needle.replace(/[\\%_]/g, "\\$&")}%`).toString("hex");
  const holds = table.columns.map(({ name }) => `${quoteName(name)} LIKE _utf8mb4 X'${pattern}'`);
  const where = [
    `(${holds.join(" OR ")})`,
    ...(after === undefined ? [] : [`(${isAfter(table.key, after)})`]),
  ];
  const order = key.length === 0 ? "" : ` ORDER BY ${key.join(", ")} LIMIT ${limit}`;
  return `SELECT ${hex.join(", ")} FROM ${quoteName(table.name)} WHERE ${where.join(" AND ")}${order};`;
}

/** (a, b) > (x, y), written so that servers use the key for it. */
function isAfter(key: readonly KeyColumn[], after: KeyValue): string {
  const [first, ...rest] = key;
  const [value = "", ...values] = after;
  if (first === undefined) return "TRUE";
  const name = quoteName(first.name);
  const literal = keyLiteral(first, value);
  if (rest.length === 0) return `${name} > ${literal}`;
  return `${name} >= ${literal} AND (${name} > ${literal} OR (${isAfter(rest, values)}))`;
}

function keyLiteral({ charset, collation }: KeyColumn, hex: string): string {
  if (charset !== undefined) return `_${charset} X'${hex}' COLLATE ${collation}`;
  const text = Buffer.from(hex, "hex").toString("latin1");
  // A number or a time; anything else is bytes.
  return /^[-+0-9.: eE]+$/.test(text) ? `'${text}'` : `X'${hex}'`;
}

export interface CellChange {
  readonly column: TextColumn;
  readonly oldHex: string;
  readonly newHex: string;
}

/** Changes a row only where it still has what was read. */
export function updateRow(table: TextTable, key: KeyValue, changes: readonly CellChange[]): string {
  const sets = [
    ...changes.map(
      ({ column, newHex }) => `${quoteName(column.name)} = ${textLiteral(newHex, column.charset)}`,
    ),
    ...table.selfSetting.map((name) => `${quoteName(name)} = ${quoteName(name)}`),
  ];
  const where = [
    ...table.key.map(
      (column, index) => `${quoteName(column.name)} = ${keyLiteral(column, key[index] ?? "")}`,
    ),
    ...changes.map(({ column, oldHex }) => `CAST(${quoteName(column.name)} AS BINARY) = X'${oldHex}'`),
  ];
  return `UPDATE ${quoteName(table.name)} SET ${sets.join(", ")} WHERE ${where.join(" AND ")};`;
}
