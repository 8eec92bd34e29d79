// File names are bytes, not text. In memory a name is a "byte string": one character (0-255) per byte, which keeps
// every name whole, fits Map keys and costs one byte per character; in the index it is readable text when it can be.
import { isUtf8 } from "node:buffer";
import { corrupt } from "./corrupt.ts";

/** Longest name or link target in the index; keeps every index line under MAX_LINE_BYTES. */
export const MAX_NAME_BYTES = 32_768;

const ASCII_PLAIN = /^[ !#-[\]-~]*$/;
const NOT_ASCII = /[\x80-\uffff]/;

export function nameFromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export function nameToBytes(name: string): Buffer {
  return Buffer.from(name, "latin1");
}

/** For people: the text if the bytes are UTF-8, otherwise with `\xNN` for every byte that is not ASCII. */
export function nameToText(name: string): string {
  if (!NOT_ASCII.test(name)) return name;
  const bytes = nameToBytes(name);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  return name.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}

/** The byte string of a name given as text. */
export function nameFromText(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

/** The name as JSON: a string if its bytes are UTF-8, else an array of one base64 string. */
export function nameToJson(name: string): string {
  if (name.length > MAX_NAME_BYTES) throw new RangeError(`a name of ${name.length} bytes is too long`);
  if (ASCII_PLAIN.test(name)) return `"${name}"`;
  const bytes = nameToBytes(name);
  return isUtf8(bytes) ? JSON.stringify(bytes.toString("utf8")) : `["${bytes.toString("base64")}"]`;
}

/** The byte string of a parsed JSON name; one name has exactly one JSON form. */
export function nameFromJson(value: unknown, what: string): string {
  const name = decode(value);
  if (name === undefined || name.length === 0 || name.length > MAX_NAME_BYTES || name.includes("\0")) {
    throw corrupt(`${what} is not a name`);
  }
  return name;
}

function decode(value: unknown): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? nameFromText(value) : undefined;
  if (!Array.isArray(value) || value.length !== 1 || typeof value[0] !== "string") return undefined;
  const bytes = Buffer.from(value[0], "base64");
  return bytes.toString("base64") === value[0] && !isUtf8(bytes) ? bytes.toString("latin1") : undefined;
}

/** Whether `name` stays inside the directory it is extracted to: relative, no empty, `.` or `..` component. */
export function isSafeEntryName(name: string): boolean {
  return !UNSAFE.test(name);
}

/**
 * Whether a symbolic link leads up or to an absolute place. GNU tar makes such a link only at its very end, for safety,
 * and then forgets the mtime of the directory that it lies in unless it came right after it; docs/FORMAT.md, "Order".
 */
export function isLateLink({ type, link = "" }: { readonly type: string; readonly link?: string }): boolean {
  return type === "l" && LEADS_OUT.test(link);
}

const LEADS_OUT = /^\/|(?:^|\/)\.\.(?:\/|$)/;
const UNSAFE = /^$|^\/|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;
