// ListObjects and ListObjectsV2. Keys are folded into common prefixes by seeking past each prefix, so a page costs
// what it returns and not what lies under the prefixes.
import { encodeUri } from "../canonical-request.ts";
import type { Operation, S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { Database } from "../store/database.ts";
import { requireBucket, type StoredObject, scanObjects } from "../store/objects.ts";
import type { XmlElements } from "../xml.ts";

const MAX_KEYS = 1000;

interface Page {
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** Where the next page begins; absent on the last. */
  readonly next?: Buffer;
  /** The last key or prefix of this page, which ListObjects calls its marker. */
  readonly last: string;
}

export const listObjectsV2: Operation = (request, { store }) => {
  const { prefix, delimiter, maxKeys, encode } = readListing(request);
  requireBucket(store.db, request.bucket);
  const token = request.query("continuation-token");
  const startAfter = request.query("start-after");
  const from = token === undefined ? after(startAfter ?? "") : decodeToken(token);
  const page = readPage(store.db, request.bucket, { prefix, delimiter, maxKeys, from });
  return {
    status: 200,
    xml: {
      root: "ListBucketResult",
      children: {
        ...commonElements(request, page, encode),
        KeyCount: page.objects.length + page.prefixes.length,
        ContinuationToken: token,
        StartAfter: startAfter === undefined ? undefined : encode(startAfter),
        NextContinuationToken: page.next?.toString("base64url"),
      },
    },
  };
};

export const listObjects: Operation = (request, { store }) => {
  const { prefix, delimiter, maxKeys, encode } = readListing(request);
  requireBucket(store.db, request.bucket);
  const marker = request.query("marker") ?? "";
  // A marker that is a common prefix was the end of the page before: all that is under it has been told.
  const isFolded = delimiter !== "" && marker.endsWith(delimiter) && marker.length > prefix.length;
  const from = isFolded ? pastPrefix(Buffer.from(marker)) : after(marker);
  const page = readPage(store.db, request.bucket, { prefix, delimiter, maxKeys, from });
  return {
    status: 200,
    xml: {
      root: "ListBucketResult",
      children: {
        ...commonElements(request, page, encode),
        Marker: encode(marker),
        NextMarker: page.next === undefined ? undefined : encode(page.last),
      },
    },
  };
};

function readListing(request: S3Request): {
  prefix: string;
  delimiter: string;
  maxKeys: number;
  encode: (text: string) => string;
} {
  request.require("ListBucket");
  return {
    prefix: request.query("prefix") ?? "",
    delimiter: request.query("delimiter") ?? "",
    maxKeys: readLimit(request, "max-keys"),
    encode: listingEncoder(request),
  };
}

export function readLimit(request: S3Request, name: string): number {
  const text = request.query(name) ?? `${MAX_KEYS}`;
  if (!/^\d{1,10}$/.test(text))
    throw new S3Error("InvalidArgument", `Provided ${name} not an integer or out of range`);
  return Math.min(Number(text), MAX_KEYS);
}

export function listingEncoder(request: S3Request): (text: string) => string {
  const encoding = request.query("encoding-type");
  if (encoding === undefined) return (text) => text;
  if (encoding !== "url")
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  return (text) => encodeUri(text, "slashes");
}

function commonElements(request: S3Request, page: Page, encode: (text: string) => string): XmlElements {
  const delimiter = request.query("delimiter");
  return {
    Name: request.bucket,
    Prefix: encode(request.query("prefix") ?? ""),
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    MaxKeys: readLimit(request, "max-keys"),
    EncodingType: request.query("encoding-type"),
    IsTruncated: page.next !== undefined,
    Contents: page.objects.map((object) => ({
      Key: encode(object.key),
      LastModified: new Date(object.modifiedMs).toISOString(),
      ETag: `"${object.etag}"`,
      ChecksumAlgorithm: object.checksum?.algorithm,
      ChecksumType: object.checksum?.type,
      Size: object.bytes,
      StorageClass: object.headers["x-amz-storage-class"] ?? "STANDARD",
    })),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  };
}

interface PageQuery {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly from: Buffer;
}

function readPage(db: Database, bucket: string, query: PageQuery): Page {
  const objects: StoredObject[] = [];
  const prefixes: string[] = [];
  let last = "";
  const prefixBytes = Buffer.from(query.prefix);
  let from = Buffer.compare(query.from, prefixBytes) > 0 ? query.from : prefixBytes;
  while (query.maxKeys > 0) {
    const batch = scanObjects(db, bucket, from, query.delimiter === "" ? query.maxKeys + 1 : 64);
    if (batch.length === 0) break;
    for (const object of batch) {
      if (!object.key.startsWith(query.prefix)) return { objects, prefixes, last };
      if (objects.length + prefixes.length === query.maxKeys) return { objects, prefixes, last, next: from };
      const folded = foldedPrefix(object.key, query);
      last = folded ?? object.key;
      if (folded === undefined) {
        objects.push(object);
        from = after(object.key);
      } else {
        prefixes.push(folded);
        from = pastPrefix(Buffer.from(folded));
        break;
      }
    }
  }
  return { objects, prefixes, last };
}

function foldedPrefix(key: string, query: PageQuery): string | undefined {
  if (query.delimiter === "") return undefined;
  const at = key.indexOf(query.delimiter, query.prefix.length);
  return at < 0 ? undefined : key.slice(0, at + query.delimiter.length);
}

/** The least bytes that sort after `key`. */
function after(key: string): Buffer {
  return key === "" ? Buffer.alloc(0) : Buffer.concat([Buffer.from(key), Buffer.of(0)]);
}

/** The least bytes that sort after every key beginning with `prefix`; UTF-8 has no byte 0xff that could carry. */
function pastPrefix(prefix: Buffer): Buffer {
  const past = Buffer.from(prefix);
  past[past.length - 1] = (past.at(-1) ?? 0) + 1;
  return past;
}

function decodeToken(token: string): Buffer {
  const from = Buffer.from(token, "base64url");
  if (from.length > 0 && from.toString("base64url") === token) return from;
  throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
}
