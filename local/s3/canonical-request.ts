// The canonical form of a request that AWS Signature Version 4 signs, kept apart from the checking so that the
// encoding rules can be tested on their own (AWS General Reference, "Create a canonical request").
import { createHash, createHmac } from "node:crypto";

export type QueryPairs = readonly (readonly [name: string, value: string])[];

export interface SignedParts {
  readonly method: string;
  /** Decoded path, starting with "/". */
  readonly path: string;
  readonly query: QueryPairs;
  /** Lower-case names; several headers of one name in the order received. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface SigningScope {
  /** YYYYMMDDTHHMMSSZ */
  readonly timestamp: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** Percent-encodes all but the unreserved characters of RFC 3986; S3 paths keep their slashes. */
export function encodeUri(text: string, keep: "slashes" | "nothing" = "nothing"): string {
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return keep === "slashes" ? encoded.replaceAll("%2F", "/") : encoded;
}

/** The pairs of a raw query string, decoded; "+" is a space, as Go clients write it. Throws URIError. */
export function parseQuery(raw: string): QueryPairs {
  if (raw === "") return [];
  return raw
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals < 0 ? pair : pair.slice(0, equals);
      const value = equals < 0 ? "" : pair.slice(equals + 1);
      return [decodeQueryPart(name), decodeQueryPart(value)] as const;
    });
}

function decodeQueryPart(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function canonicalQuery(query: QueryPairs): string {
  return query
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function canonicalRequest(
  parts: SignedParts,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const headers = signedHeaders.map((name) => {
    const values = (parts.headers.get(name) ?? []).map((value) => value.trim().replace(/ +/g, " "));
    return `${name}:${values.join(",")}\n`;
  });
  return [
    parts.method,
    encodeUri(parts.path, "slashes"),
    canonicalQuery(parts.query),
    headers.join(""),
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

export function credentialScope(scope: SigningScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

export function signingKey(secretAccessKey: string, scope: SigningScope): Buffer {
  return [scope.date, scope.region, scope.service, "aws4_request"].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${secretAccessKey}`),
  );
}

/** Hex signature of a canonical request. Header values are the bytes of the wire, which Node gives as latin1. */
export function requestSignature(key: Buffer, scope: SigningScope, canonical: string): string {
  const hash = createHash("sha256").update(canonical, "latin1").digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", scope.timestamp, credentialScope(scope), hash].join("\n");
  return hmac(key, toSign).toString("hex");
}

export function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
