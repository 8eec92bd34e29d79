// Globs over names that are bytes: `*` and `?` within one part of a path, `**` over any number of parts. Matching
// never backtracks further than to the last star, so no pattern makes it slow.
import { type ByteString, fromUtf8 } from "./byte-string.ts";

export interface Glob {
  readonly parts: readonly ByteString[];
  /** Written with a slash at its end. */
  readonly directoriesOnly: boolean;
}

const ANY_PARTS = "**";

/** `pattern` is what an operator typed: UTF-8, relative to the directory that is walked. */
export function parseGlob(pattern: string): Glob {
  const parts = fromUtf8(pattern)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  return { parts, directoriesOnly: pattern.endsWith("/") };
}

/** Whether the glob is this very path (what is below an excluded directory is never asked about). */
export function matchesGlob(glob: Glob, path: readonly ByteString[], isDirectory: boolean): boolean {
  if (glob.directoriesOnly && !isDirectory) return false;
  const { parts } = glob;
  let [part, at, starPart, starAt] = [0, 0, -1, 0];
  while (at < path.length) {
    const pattern = parts[part];
    if (pattern === ANY_PARTS) {
      // At its end it stands for what is in a directory, not for the directory itself.
      if (part === parts.length - 1) return true;
      [starPart, starAt] = [part, at];
      part += 1;
    } else if (pattern !== undefined && matchesPart(pattern, path[at] ?? "")) {
      part += 1;
      at += 1;
    } else if (starPart >= 0) {
      starAt += 1;
      [part, at] = [starPart + 1, starAt];
    } else {
      return false;
    }
  }
  return part === parts.length && parts.length > 0;
}

function matchesPart(pattern: ByteString, name: ByteString): boolean {
  let [p, n, star, starAt] = [0, 0, -1, 0];
  while (n < name.length) {
    const char = pattern[p];
    if (char === "*") {
      [star, starAt] = [p, n];
      p += 1;
    } else if (char === "?") {
      p += 1;
      n += characterBytes(name, n);
    } else if (char !== undefined && char === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      starAt += 1;
      [p, n] = [star + 1, starAt];
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/** `?` is one character to whoever typed it: a UTF-8 sequence where there is one, else a byte. */
function characterBytes(name: ByteString, at: number): number {
  let end = at + 1;
  if (name.charCodeAt(at) >= 0xc0) while (end < at + 4 && isContinuation(name, end)) end += 1;
  return end - at;
}

function isContinuation(name: ByteString, at: number): boolean {
  return (name.charCodeAt(at) & 0xc0) === 0x80; // NaN beyond the end is not.
}
