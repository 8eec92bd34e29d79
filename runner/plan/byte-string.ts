// File names are bytes, in no particular encoding. As a string with one character per byte (latin1) they sort in byte
// order, cost a byte per character in memory, and survive unchanged, which names decoded as UTF-8 would not.

/** One character, U+0000 to U+00FF, per byte. */
export type ByteString = string;

export function toBytes(name: ByteString): Buffer {
  return Buffer.from(name, "latin1");
}

export function fromUtf8(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** For people to read: UTF-8 where it is UTF-8, control characters made visible. */
export function forDisplay(name: ByteString): string {
  return toBytes(name)
    .toString("utf8")
    .replace(/\p{Cc}/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`);
}

/** What system calls take of a path. */
export type SystemPath = string | Buffer;

const BEYOND_ASCII = /[\u0080-\u00ff]/;

/** ASCII is the same in every encoding, and as a string a sixth faster to look up (measured). */
export function systemPath(path: ByteString): SystemPath {
  return BEYOND_ASCII.test(path) ? toBytes(path) : path;
}
