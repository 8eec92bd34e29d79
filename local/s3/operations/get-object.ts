// GetObject and HeadObject: conditions, ranges and overrides decide the reply; the server streams the segments.
import { type Conditions, checkRead, parseRange } from "../conditions.ts";
import { checksumReplyHeaders, objectReplyHeaders } from "../object-headers.ts";
import type { S3Context, S3Reply, S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { readSegments } from "../store/contents.ts";
import { findObject, requireBucket, type StoredObject } from "../store/objects.ts";

const OVERRIDES = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];

export function getObject(request: S3Request, context: S3Context): S3Reply {
  const reply = headObject(request, context);
  if (reply.status === 304) return reply;
  const object = requireObject(request, context, { bucket: request.bucket, key: request.key });
  const range = parseRange(request.header("range"), object.bytes) ?? {
    startBytes: 0,
    lengthBytes: object.bytes,
  };
  const segments = readSegments(context.store.db, object.contentId, range.startBytes, range.lengthBytes);
  const release = context.store.files.pin(segments.map((segment) => segment.partFile));
  return { ...reply, content: { segments, release } };
}

export function headObject(request: S3Request, context: S3Context): S3Reply {
  const object = requireObject(request, context, { bucket: request.bucket, key: request.key });
  const verdict = checkRead(readConditions(request, ""), object);
  if (verdict === "failed") {
    throw new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
  }
  const headers = objectReplyHeaders(object);
  if (verdict === "not-modified") {
    return {
      status: 304,
      headers: { etag: headers.etag ?? "", "last-modified": headers["last-modified"] ?? "" },
    };
  }
  for (const name of OVERRIDES) {
    const override = request.query(`response-${name}`);
    if (override !== undefined) headers[name] = headerSafe(override);
  }
  const range = parseRange(request.header("range"), object.bytes);
  // A checksum of the whole says nothing about a part of it.
  if (range === undefined && request.header("x-amz-checksum-mode")?.toUpperCase() === "ENABLED") {
    Object.assign(headers, checksumReplyHeaders(object));
  }
  if (range === undefined)
    return { status: 200, headers: { ...headers, "content-length": `${object.bytes}` } };
  const last = range.startBytes + range.lengthBytes - 1;
  headers["content-range"] = `bytes ${range.startBytes}-${last}/${object.bytes}`;
  return { status: 206, headers: { ...headers, "content-length": `${range.lengthBytes}` } };
}

/** The object, if the signer may read it. Who may not list is not told whether a key exists, as on AWS. */
export function requireObject(
  request: S3Request,
  { store }: S3Context,
  place: { bucket: string; key: string },
): StoredObject {
  request.require("GetObject", place);
  requireBucket(store.db, place.bucket);
  const object = findObject(store.db, place.bucket, place.key);
  if (object !== undefined) return object;
  request.require("ListBucket", { bucket: place.bucket });
  throw new S3Error("NoSuchKey", "The specified key does not exist.", { Key: place.key });
}

export function readConditions(request: S3Request, prefix: "" | "x-amz-copy-source-"): Conditions {
  return {
    ifMatch: request.header(`${prefix}if-match`),
    ifNoneMatch: request.header(`${prefix}if-none-match`),
    ifModifiedSince: request.header(`${prefix}if-modified-since`),
    ifUnmodifiedSince: request.header(`${prefix}if-unmodified-since`),
  };
}

function headerSafe(value: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value;
  throw new S3Error("InvalidArgument", "A response override is not a valid header value.");
}
