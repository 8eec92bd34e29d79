// Replaces text within values that PHP's serialize() has made: every string carries its length in bytes, so a longer
// address needs a new number, also in strings that hold serialized values themselves. Keys, class names and what is
// not understood stay as they are. Pure.
import type { ByteString } from "../byte-string.ts";
import type { UrlReplacer } from "./url-pattern.ts";

export interface Replaced {
  readonly text: ByteString;
  readonly count: number;
}

/** Deeper than any real value; PHP's own limit is 4,096. Deeper ones are left alone. */
const MAX_DEPTH = 500;

/** `value`: one character per byte, since PHP counts bytes. */
export function replaceInValue(value: ByteString, replacer: UrlReplacer, depth = 0): Replaced {
  if (!value.includes(replacer.needle)) return { text: value, count: 0 };
  if (depth > MAX_DEPTH) return { text: value, count: 0 };
  if (!/^(?:[aOC]:\d+:|s:\d+:")/.test(value)) return replacer.replace(value);
  const work: Work = { value, at: 0, count: 0, pieces: [], copiedTo: 0, replacer, depth };
  const isWhole = readValue(work, depth);
  if (isWhole === "too deep") return { text: value, count: 0 };
  // Already broken, or only looks like it: then it is text.
  if (!isWhole) return replacer.replace(value);
  // PHP ignores what follows a whole value.
  const rest = replacer.replace(value.slice(work.at));
  copyTo(work, work.at);
  return { text: work.pieces.join("") + rest.text, count: work.count + rest.count };
}

interface Work {
  readonly value: ByteString;
  readonly replacer: UrlReplacer;
  readonly depth: number;
  readonly pieces: string[];
  at: number;
  /** All before it is in `pieces`, changed or not. */
  copiedTo: number;
  count: number;
}

type Outcome = boolean | "too deep";

const SCALAR = /(?:N|[bi]:[+-]?\d+|d:[^;{}"]+|[rR]:\d+);/y;
const HEAD = /([aOCsE]):(\d+):/y;
const COUNT = /:(\d+):\{/y;

function match(pattern: RegExp, work: Work): RegExpExecArray | null {
  pattern.lastIndex = work.at;
  const found = pattern.exec(work.value);
  if (found !== null) work.at = pattern.lastIndex;
  return found;
}

function readValue(work: Work, depth: number): Outcome {
  if (depth > MAX_DEPTH) return "too deep";
  if (match(SCALAR, work) !== null) return true;
  const start = work.at;
  const head = match(HEAD, work);
  if (head === null) return false;
  const [, kind = "", digits] = head;
  const length = Number(digits);
  switch (kind) {
    case "s":
      return readString(work, start, length, depth);
    case "E":
      return quoted(work, length) !== undefined && skip(work, ";");
    case "a":
      return skip(work, "{") && readPairs(work, length, depth);
    case "O":
      return quoted(work, length) !== undefined && readCounted(work, depth);
    case "C":
      return quoted(work, length) !== undefined && skipCustom(work);
    default:
      return false;
  }
}

function readString(work: Work, start: number, length: number, depth: number): Outcome {
  const content = quoted(work, length);
  if (content === undefined || !skip(work, ";")) return false;
  const { text, count } = replaceInValue(content, work.replacer, depth + 1);
  if (count === 0) return true;
  copyTo(work, start);
  work.pieces.push(`s:${text.length}:"${text}";`);
  work.copiedTo = work.at;
  work.count += count;
  return true;
}

function readCounted(work: Work, depth: number): Outcome {
  const count = match(COUNT, work);
  return count === null ? false : readPairs(work, Number(count[1]), depth);
}

function readPairs(work: Work, pairs: number, depth: number): Outcome {
  for (let pair = 0; pair < pairs; pair += 1) {
    if (!skipKey(work)) return false;
    const outcome = readValue(work, depth + 1);
    if (outcome !== true) return outcome;
  }
  return skip(work, "}");
}

const INTEGER_KEY = /i:-?\d+;/y;
const STRING_KEY = /s:(\d+):/y;

function skipKey(work: Work): boolean {
  if (match(INTEGER_KEY, work) !== null) return true;
  const head = match(STRING_KEY, work);
  return head !== null && quoted(work, Number(head[1])) !== undefined && skip(work, ";");
}

/** A class that serializes by itself: only it knows what the bytes mean. */
function skipCustom(work: Work): boolean {
  const length = match(COUNT, work);
  if (length === null) return false;
  work.at += Number(length[1]);
  return skip(work, "}");
}

function quoted(work: Work, length: number): ByteString | undefined {
  const [from, to] = [work.at + 1, work.at + 1 + length];
  if (work.value[work.at] !== '"' || work.value[to] !== '"') return undefined;
  work.at = to + 1;
  return work.value.slice(from, to);
}

function skip(work: Work, text: string): boolean {
  if (work.value[work.at] !== text) return false;
  work.at += 1;
  return true;
}

function copyTo(work: Work, end: number): void {
  if (work.copiedTo < end) work.pieces.push(work.value.slice(work.copiedTo, end));
  work.copiedTo = end;
}
