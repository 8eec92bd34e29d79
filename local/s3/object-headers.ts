// Which request headers are kept with an object and given back with it, and which promise something this store
// does not keep and are therefore refused.
import { checksumHeader } from "./checksums.ts";
import type { S3Request } from "./request.ts";
import { S3Error } from "./s3-error.ts";
import type { StoredHeaders, StoredObject } from "./store/objects.ts";
import { notImplemented } from "./target.ts";

const KEPT = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
  "x-amz-server-side-encryption",
  "x-amz-storage-class",
  "x-amz-website-redirect-location",
];

const MAX_METADATA_BYTES = 2048;

// Silently dropping encryption with the client's key, a lock, a tag or a grant would be a lie.
const REFUSED = [
  "x-amz-object-lock-",
  "x-amz-server-side-encryption-customer-",
  "x-amz-server-side-encryption-aws-kms-",
  "x-amz-tagging",
  "x-amz-grant-",
  "x-amz-bucket-object-lock-",
  "x-amz-write-offset-bytes",
];
const PRIVATE_ACLS = ["private", "bucket-owner-full-control"];

export function refuseUnkeptPromises(request: S3Request): void {
  for (const prefix of REFUSED) {
    if (request.headersWith(prefix).some(([rest]) => rest !== "-directive"))
      throw notImplemented(`${prefix}*`);
  }
  const acl = request.header("x-amz-acl");
  if (acl !== undefined && !PRIVATE_ACLS.includes(acl)) throw notImplemented(`x-amz-acl: ${acl}`);
}

export function headersToStore(request: S3Request): StoredHeaders {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const name of KEPT) {
    const value = name === "content-encoding" ? withoutFraming(request.header(name)) : request.header(name);
    if (value !== undefined) kept[name] = value;
  }
  let metadataBytes = 0;
  for (const [name, value] of request.headersWith("x-amz-meta-")) {
    kept[`x-amz-meta-${name}`] = value;
    metadataBytes += name.length + value.length;
  }
  if (metadataBytes > MAX_METADATA_BYTES) {
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.");
  }
  return kept;
}

/** aws-chunked is how the body travelled, not what it is. */
function withoutFraming(encoding: string | undefined): string | undefined {
  const rest = encoding
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "aws-chunked");
  return rest === undefined || rest.length === 0 ? undefined : rest.join(",");
}

export function objectReplyHeaders(object: StoredObject): Record<string, string> {
  const { "x-amz-storage-class": storageClass, ...headers } = object.headers;
  return {
    ...headers,
    ...(storageClass === undefined || storageClass === "STANDARD"
      ? {}
      : { "x-amz-storage-class": storageClass }),
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modifiedMs).toUTCString(),
    "accept-ranges": "bytes",
  };
}

export function checksumReplyHeaders(object: StoredObject): Record<string, string> {
  if (object.checksum === undefined) return {};
  return {
    [checksumHeader(object.checksum.algorithm)]: object.checksum.value,
    "x-amz-checksum-type": object.checksum.type,
  };
}
