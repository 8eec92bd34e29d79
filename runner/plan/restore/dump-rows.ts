// The rows of a dump's INSERT statements, value by value, as the statements pass by in pieces of any size. Only INSERT
// statements must come in; memory grows with a row, not with a statement. Pure.
import type { ByteString } from "../byte-string.ts";

export interface DumpRow {
  readonly table: string;
  /** The statement's own list of columns, if it has one. */
  readonly columns: readonly string[] | undefined;
  /** null for NULL; numbers and hex literals as written. */
  readonly values: readonly (ByteString | null)[];
}

export interface RowReader {
  /** One character per byte. */
  push(text: ByteString): void;
}

const NAME = "`((?:[^`]|``)+)`";
const HEAD = new RegExp(
  `^\\s*(?:INSERT|REPLACE)\\s+(?:IGNORE\\s+)?INTO\\s+${NAME}\\s*(?:\\(((?:\\s*${NAME}\\s*,?)+)\\))?\\s*VALUES\\s*(?=[(\\n\\r])`,
  "i",
);
const ESCAPED: Readonly<Record<string, string>> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
};
/** A statement's head is far shorter: whatever begins otherwise is none of ours. */
const MAX_HEAD = 1_000_000;

type State = "head" | "between" | "value" | "string" | "escape" | "quote";

export function readDumpRows(take: (row: DumpRow) => void): RowReader {
  let state: State = "head";
  let head = "";
  let table = "";
  let columns: readonly string[] | undefined;
  let values: (ByteString | null)[] = [];
  /** Of the value: what stands outside quotes, and what inside. */
  let plain = "";
  let pieces: string[] | undefined;

  const endValue = (): void => {
    const word = plain.trim();
    values.push(pieces === undefined ? (/^null$/i.test(word) ? null : word) : pieces.join(""));
    [plain, pieces] = ["", undefined];
  };
  /** Where to go on. */
  const step = (text: string, at: number): number => {
    switch (state) {
      case "head":
        return readHead(text, at);
      case "between":
        return readBetween(text, at);
      case "value":
        return readValue(text, at);
      case "string":
        return readString(text, at);
      case "escape": {
        const char = text[at] ?? "";
        pieces?.push(ESCAPED[char] ?? char);
        state = "string";
        return at + 1;
      }
      case "quote":
        // A doubled quote is one within the string; anything else comes after it.
        state = text[at] === "'" ? "string" : "value";
        if (state === "string") pieces?.push("'");
        return state === "string" ? at + 1 : at;
    }
  };
  const readHead = (text: string, at: number): number => {
    const known = head.length;
    head += text.slice(at, at + MAX_HEAD);
    const found = HEAD.exec(head);
    if (found === null) {
      if (head.length > 2 * MAX_HEAD) head = "";
      return text.length;
    }
    table = nameOf(found[1] ?? "");
    columns =
      found[2] === undefined
        ? undefined
        : [...found[2].matchAll(new RegExp(NAME, "g"))].map(([, name]) => nameOf(name ?? ""));
    head = "";
    state = "between";
    return at + found[0].length - known;
  };
  const readBetween = (text: string, at: number): number => {
    const char = text[at];
    if (char === "(") {
      state = "value";
      values = [];
      plain = "";
    } else if (char === ";") {
      state = "head";
    }
    return at + 1;
  };
  const readValue = (text: string, at: number): number => {
    const next = nextOf(VALUE_END, text, at);
    plain += text.slice(at, next);
    switch (text.charAt(next)) {
      case "'":
        pieces = [];
        state = "string";
        break;
      case ",":
        endValue();
        break;
      case ")":
        endValue();
        state = "between";
        take({ table, columns, values });
        break;
      default:
    }
    return next + 1;
  };
  const readString = (text: string, at: number): number => {
    const next = nextOf(STRING_END, text, at);
    if (next > at) pieces?.push(text.slice(at, next));
    if (text[next] === "'") state = "quote";
    else if (text[next] === "\\") state = "escape";
    return next + 1;
  };

  return {
    push(text) {
      for (let at = 0; at < text.length; ) at = step(text, at);
    },
  };
}

const VALUE_END = /[',)]/g;
const STRING_END = /['\\]/g;

function nextOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

function nameOf(quoted: string): string {
  return Buffer.from(quoted, "latin1").toString("utf8").replaceAll("``", "`");
}
