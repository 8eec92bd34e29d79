// What a request asks for: which bucket and key (path-style), and which S3 operation its method and query name.
import { parseQuery, type QueryPairs } from "./canonical-request.ts";
import { S3Error } from "./s3-error.ts";

export type OperationName =
  | "AbortMultipartUpload"
  | "CompleteMultipartUpload"
  | "CopyObject"
  | "CreateBucket"
  | "CreateMultipartUpload"
  | "DeleteBucket"
  | "DeleteObject"
  | "DeleteObjects"
  | "GetBucketLocation"
  | "GetObject"
  | "HeadBucket"
  | "HeadObject"
  | "ListBuckets"
  | "ListMultipartUploads"
  | "ListObjects"
  | "ListObjectsV2"
  | "ListParts"
  | "PutObject"
  | "UploadPart"
  | "UploadPartCopy";

export interface Target {
  /** Decoded path. */
  readonly path: string;
  readonly query: QueryPairs;
  readonly bucket: string;
  readonly key: string;
}

const MAX_KEY_BYTES = 1024;

/** Throws InvalidURI, InvalidBucketName or KeyTooLongError. */
export function parseTarget(url: string): Target {
  const question = url.indexOf("?");
  const rawPath = question < 0 ? url : url.slice(0, question);
  if (!rawPath.startsWith("/")) throw new S3Error("InvalidURI", "Couldn't parse the specified URI.");
  let path: string;
  let query: QueryPairs;
  try {
    path = decodeURIComponent(rawPath);
    query = parseQuery(question < 0 ? "" : url.slice(question + 1));
  } catch (error) {
    throw new S3Error("InvalidURI", "The URI is not percent-encoded UTF-8.", {}, error);
  }
  return { path, query, ...splitPath(path) };
}

/** Bucket and key of a decoded "/bucket/key"; the key is opaque, so slashes and dots in it mean nothing. */
export function splitPath(path: string): { bucket: string; key: string } {
  const slash = path.indexOf("/", 1);
  const bucket = slash < 0 ? path.slice(1) : path.slice(1, slash);
  const key = slash < 0 ? "" : path.slice(slash + 1);
  if (
    (bucket === "" && key !== "") ||
    (bucket !== "" && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
  ) {
    throw new S3Error("InvalidBucketName", "The specified bucket is not valid.");
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error("KeyTooLongError", "Your key is too long");
  return { bucket, key };
}

// Every sub-resource of S3 that is not served must be refused, not taken for the plain operation: a PUT of
// ?policy must not become an object.
const OTHER_SUBRESOURCES: ReadonlySet<string> = new Set(
  `accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle logging
  metadataTable metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject
  replication requestPayment restore retention select session tagging torrent versioning versions website`.split(
    /\s+/,
  ),
);

const SERVED_SUBRESOURCES = ["uploadId", "uploads", "delete", "location"] as const;

const OPERATIONS: Readonly<Record<string, OperationName>> = {
  "service GET": "ListBuckets",
  "bucket PUT": "CreateBucket",
  "bucket HEAD": "HeadBucket",
  "bucket DELETE": "DeleteBucket",
  "bucket GET": "ListObjects",
  "bucket GET location": "GetBucketLocation",
  "bucket GET uploads": "ListMultipartUploads",
  "bucket POST delete": "DeleteObjects",
  "object GET": "GetObject",
  "object HEAD": "HeadObject",
  "object PUT": "PutObject",
  "object DELETE": "DeleteObject",
  "object POST uploads": "CreateMultipartUpload",
  "object PUT uploadId": "UploadPart",
  "object GET uploadId": "ListParts",
  "object POST uploadId": "CompleteMultipartUpload",
  "object DELETE uploadId": "AbortMultipartUpload",
};

/** Throws NotImplemented for whatever S3 can do and this server cannot. */
export function identifyOperation(method: string, target: Target, isCopy: boolean): OperationName {
  const names = new Set(target.query.map(([name]) => name));
  const version = target.query.find(([name]) => name === "versionId")?.[1];
  const other = [...names].find((name) => OTHER_SUBRESOURCES.has(name));
  if (other !== undefined || names.has("partNumber") !== (names.has("uploadId") && method === "PUT")) {
    throw notImplemented(`${method} with ?${other ?? "partNumber"}`);
  }
  if (version !== undefined && version !== "null") throw notImplemented("versionId");
  const place = target.bucket === "" ? "service" : target.key === "" ? "bucket" : "object";
  const subresource = SERVED_SUBRESOURCES.find((name) => names.has(name));
  const operation = OPERATIONS[`${place} ${method}${subresource === undefined ? "" : ` ${subresource}`}`];
  if (operation === undefined) throw notImplemented(`${method} on a ${place}`);
  if (operation === "ListObjects" && target.query.some(([n, v]) => n === "list-type" && v === "2")) {
    return "ListObjectsV2";
  }
  if (isCopy && operation === "PutObject") return "CopyObject";
  if (isCopy && operation === "UploadPart") return "UploadPartCopy";
  return operation;
}

export function notImplemented(what: string): S3Error {
  return new S3Error("NotImplemented", `This object store does not implement ${what}.`);
}
