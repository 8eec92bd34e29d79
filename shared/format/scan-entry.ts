// Reads an entry line straight from its bytes, if it is as encodeEntry writes most of them: no escapes, no spaces. Less
// than half the time that JSON.parse and decodeEntry take (measured), and an index of a million files has a million lines.
// Whatever else a line is, good or bad, is theirs to judge: what is accepted here, they would have read the same.
import { MAX_NAME_BYTES } from "./entry-name.ts";
import { ALL_FLAGS, type EntryType, type IndexEntry } from "./index-entry.ts";

/** A place in a block of lines, which is valid UTF-8. Scanning moves it on. */
export interface LineCursor {
  readonly block: Buffer;
  at: number;
}

const [NEWLINE, QUOTE, COMMA, DOT, SLASH, ZERO, NINE] = [0x0a, 0x22, 0x2c, 0x2e, 0x2f, 0x30, 0x39];
const [OPENING, BACKSLASH, CLOSING] = [0x5b, 0x5c, 0x5d];
const TYPES: readonly (EntryType | undefined)[] = Array.from({ length: 256 }, (_, code) => {
  const letter = String.fromCharCode(code);
  return letter === "f" || letter === "d" || letter === "l" || letter === "h" ? letter : undefined;
});
/** Not a number that is written here. */
const NONE = -1;
/** With one more a number could be above 2^53. */
const MAX_DIGITS = 15;
/** With one more, or a 9 at the beginning of so many, it could be above 2^63. */
const MAX_LONG_DIGITS = 19;
const LOW_DIGITS = 9;

/** The entry at the cursor, which then is after its newline. Undefined, and the cursor anywhere: not such a line. */
export function scanEntry(cursor: LineCursor): IndexEntry | undefined {
  const { block } = cursor;
  if (!skip(cursor, OPENING) || !skip(cursor, QUOTE)) return undefined;
  const type = TYPES[block[cursor.at] ?? 0];
  cursor.at += 1;
  if (type === undefined || !skip(cursor, QUOTE) || !skip(cursor, COMMA)) return undefined;
  const name = scanName(cursor, true);
  if (name === undefined || !skip(cursor, COMMA)) return undefined;
  const tarOffset = scanNumber(cursor);
  if (tarOffset === NONE || tarOffset % 512 !== 0 || !skip(cursor, COMMA)) return undefined;
  const size = scanNumber(cursor);
  if (size === NONE || (size !== 0 && type !== "f") || !skip(cursor, COMMA)) return undefined;
  const mode = scanNumber(cursor);
  if (mode === NONE || mode > 0o7777 || !skip(cursor, COMMA)) return undefined;
  const uid = scanNumber(cursor);
  if (uid === NONE || uid > 0xffff_ffff || !skip(cursor, COMMA)) return undefined;
  const gid = scanNumber(cursor);
  if (gid === NONE || gid > 0xffff_ffff || !skip(cursor, COMMA)) return undefined;
  const mtimeNs = scanQuotedNumber(cursor);
  if (mtimeNs === undefined || !skip(cursor, COMMA)) return undefined;
  const ctimeNs = scanQuotedNumber(cursor);
  if (ctimeNs === undefined || !skip(cursor, COMMA)) return undefined;
  const ino = scanQuotedNumber(cursor);
  if (ino === undefined || !skip(cursor, COMMA)) return undefined;
  const flags = scanNumber(cursor);
  if (flags === NONE || flags > ALL_FLAGS) return undefined;
  const entry = { type, name, tarOffset, size, mode, uid, gid, mtimeNs, ctimeNs, ino, flags };
  if (type !== "l" && type !== "h") return endsLine(cursor) ? entry : undefined;
  if (!skip(cursor, COMMA)) return undefined;
  const link = scanName(cursor, type === "h");
  return link !== undefined && endsLine(cursor) ? { ...entry, link } : undefined;
}

function skip(cursor: LineCursor, byte: number): boolean {
  const isThere = cursor.block[cursor.at] === byte;
  cursor.at += 1;
  return isThere;
}

function endsLine(cursor: LineCursor): boolean {
  return skip(cursor, CLOSING) && skip(cursor, NEWLINE);
}

/** UTF-8 without escapes is the byte string itself. `isPath`: as isSafeEntryName. */
function scanName(cursor: LineCursor, isPath: boolean): string | undefined {
  if (!skip(cursor, QUOTE)) return undefined;
  const { block, at: start } = cursor;
  let at = start;
  let component = start;
  for (; ; at += 1) {
    const byte = block[at] ?? 0;
    if (byte !== SLASH && byte !== QUOTE) {
      if (byte < 0x20 || byte === BACKSLASH) return undefined;
      continue;
    }
    if (isPath) {
      const length = at - component;
      if (length === 0 || (length <= 2 && block[component] === DOT && block[at - 1] === DOT))
        return undefined;
      component = at + 1;
    }
    if (byte === QUOTE) break;
  }
  cursor.at = at + 1;
  return at === start || at - start > MAX_NAME_BYTES ? undefined : block.toString("latin1", start, at);
}

/** Without leading zeros; or NONE. */
function scanNumber(cursor: LineCursor): number {
  const { block, at: start } = cursor;
  let at = start;
  let value = 0;
  for (; ; at += 1) {
    const byte = block[at] ?? 0;
    if (byte < ZERO || byte > NINE) break;
    value = value * 10 + (byte - ZERO);
    if (at - start >= MAX_DIGITS) return NONE;
  }
  cursor.at = at;
  const digits = at - start;
  return digits === 0 || (digits > 1 && block[start] === ZERO) ? NONE : value;
}

const halves = new DataView(new ArrayBuffer(8));

/** The same of a longer one. */
function scanQuotedNumber(cursor: LineCursor): bigint | undefined {
  if (!skip(cursor, QUOTE)) return undefined;
  const { block, at: start } = cursor;
  let end = start;
  while (isDigit(block[end] ?? 0)) end += 1;
  const digits = end - start;
  const first = block[start];
  if (digits === 0 || (digits > 1 && first === ZERO)) return undefined;
  if (digits > MAX_LONG_DIGITS || (digits === MAX_LONG_DIGITS && first === NINE)) return undefined;
  const split = Math.max(start, end - LOW_DIGITS);
  const high = digitsOf(block, start, split);
  const low = digitsOf(block, split, end);
  cursor.at = end;
  return skip(cursor, QUOTE) ? fromParts(high, low) : undefined;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function digitsOf(block: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + ((block[at] ?? 0) - ZERO);
  return value;
}

/** high × 10^9 + low, both below 10^10: by halves, since a double has 53 bits and each sum of BigInts makes a new one. */
function fromParts(high: number, low: number): bigint {
  const upper = Math.floor(high / 0x1_0000) * 1e9;
  const lower = (high % 0x1_0000) * 1e9 + low;
  const sum = (upper % 0x1_0000) * 0x1_0000 + lower;
  halves.setUint32(0, sum % 0x1_0000_0000, true);
  halves.setUint32(4, Math.floor(upper / 0x1_0000) + Math.floor(sum / 0x1_0000_0000), true);
  return halves.getBigInt64(0, true);
}
