// Bearer secrets of 256 random bits. Only their SHA-256 is kept, and the record's id is the first half of it, so
// that a token is found by one consistent read and no id of its own has to be stored inside it.
import { createHash, timingSafeEqual } from "node:crypto";

export interface TokenIdentity {
  readonly id: string;
  readonly hash: string;
}

export function makeToken(prefix: string, randomBytes: Uint8Array): string {
  return prefix + Buffer.from(randomBytes).toString("base64url");
}

/** The id has the form of a version 8 UUID (RFC 9562: bits of the maker's own choice). */
export function identifyToken(token: string): TokenIdentity {
  const hash = createHash("sha256").update(token).digest("hex");
  const id = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
  return { id, hash };
}

/** Whether two SHA-256 in hex are the same, in a time that does not tell where they differ. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, "hex"), Buffer.from(other, "hex")];
  return a.length === b.length && a.length === 32 && timingSafeEqual(a, b);
}
