// The few PHP functions that configuration files call to put paths and settings together, done by PHP's rules.
import { isUnknown, type PhpValue, toText, undecidable } from "./php-value.ts";

type TextFunction = (...args: readonly string[]) => PhpValue;

export function parentDirectory(path: string, levels = 1): string {
  let parent = path;
  for (let level = 0; level < Math.min(levels, 64); level += 1) {
    const trimmed = parent.replace(/(?<=[^/])\/+$/, "");
    const slash = trimmed.lastIndexOf("/");
    parent = slash < 0 ? "." : slash === 0 ? "/" : trimmed.slice(0, slash);
  }
  return parent;
}

function parseUrl(text: string): PhpValue {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const parts = new Map<string, PhpValue>([["scheme", url.protocol.slice(0, -1)]]);
  // PHP leaves percent-encoding as it is, and so does URL.
  const fields = { host: url.hostname, user: url.username, pass: url.password, path: url.pathname };
  for (const [name, value] of Object.entries(fields)) if (value !== "") parts.set(name, value);
  if (url.port !== "") parts.set("port", Number(url.port));
  if (url.search !== "") parts.set("query", url.search.slice(1));
  return parts;
}

function trimmer(start: boolean, end: boolean): TextFunction {
  return (text = "", characters = " \n\r\t\v\0") => {
    let [from, to] = [0, text.length];
    while (start && from < to && characters.includes(text.charAt(from))) from += 1;
    while (end && to > from && characters.includes(text.charAt(to - 1))) to -= 1;
    return text.slice(from, to);
  };
}

function substring(text: string, start: string, length?: string): string {
  const from = Number(start) < 0 ? Math.max(0, text.length + Number(start)) : Number(start);
  if (length === undefined) return text.slice(from);
  return text.slice(from, Number(length) < 0 ? text.length + Number(length) : from + Number(length));
}

const TEXT_FUNCTIONS = new Map<string, TextFunction>([
  ["dirname", (path = "", levels = "1") => parentDirectory(path, Number(levels))],
  ["basename", (path = "") => path.replace(/\/+$/, "").split("/").at(-1) ?? ""],
  ["realpath", (path = "") => path],
  ["trim", trimmer(true, true)],
  ["ltrim", trimmer(true, false)],
  ["rtrim", trimmer(false, true)],
  ["strval", (text = "") => text],
  ["strtolower", (text = "") => text.toLowerCase()],
  ["parse_url", (text = "") => parseUrl(text)],
  ["substr", (text = "", start = "0", length) => substring(text, start, length)],
  ["str_replace", (from = "", to = "", text = "") => (from === "" ? text : text.replaceAll(from, to))],
  ["base64_decode", (text = "") => Buffer.from(text, "base64").toString("utf8")],
  ["rawurldecode", (text = "") => percentDecode(text)],
  ["urldecode", (text = "") => percentDecode(text.replaceAll("+", " "))],
  ["trailingslashit", (path = "") => `${path.replace(/\/+$/, "")}/`],
  ["untrailingslashit", (path = "") => path.replace(/\/+$/, "")],
]);

function percentDecode(text: string): PhpValue {
  try {
    return decodeURIComponent(text);
  } catch {
    return undecidable("it is not valid percent-encoding");
  }
}

/** The function's value, or undefined if it is not one of ours. */
export function callTextFunction(name: string, args: readonly PhpValue[]): PhpValue | undefined {
  const call = TEXT_FUNCTIONS.get(name);
  if (call === undefined) return undefined;
  const texts: string[] = [];
  for (const arg of args) {
    const text = toText(arg);
    if (isUnknown(text)) return text;
    texts.push(text);
  }
  return call(...texts);
}

/** What phpdotenv and oscarotero/env make of the words that stand for values. */
export function envWord(text: string): PhpValue {
  const word = text.toLowerCase();
  if (word === "true" || word === "(true)") return true;
  if (word === "false" || word === "(false)") return false;
  if (word === "null" || word === "(null)") return null;
  return text;
}
