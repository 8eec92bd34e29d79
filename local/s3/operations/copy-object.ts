// CopyObject: a new object over the segments of another; no bytes move.
import { requireWritable } from "../conditions.ts";
import { headersToStore, refuseUnkeptPromises } from "../object-headers.ts";
import type { Operation } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { addContent, readSegments } from "../store/contents.ts";
import { findObject, putObject, requireBucket, type StoredHeaders } from "../store/objects.ts";
import { requireCopySource } from "./copy-source.ts";
import { MAX_BODY_BYTES } from "./put-object.ts";

export const copyObject: Operation = async (request, context) => {
  request.require("PutObject", { key: request.key });
  refuseUnkeptPromises(request);
  const directive = request.header("x-amz-metadata-directive") ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw new S3Error("InvalidArgument", "Unknown metadata directive.");
  }
  const modifiedMs = context.now().getTime();
  const conditions = { ifMatch: request.header("if-match"), ifNoneMatch: request.header("if-none-match") };
  const source = await context.store.change((change) => {
    requireBucket(change.db, request.bucket);
    const found = requireCopySource(request, context);
    if (found.bytes > MAX_BODY_BYTES) {
      throw new S3Error(
        "InvalidRequest",
        "The specified copy source is larger than the maximum: use UploadPartCopy.",
      );
    }
    if (directive === "COPY" && found.bucket === request.bucket && found.key === request.key) {
      throw new S3Error("InvalidRequest", "A copy of an object to itself must change its metadata.");
    }
    requireWritable(conditions, findObject(change.db, request.bucket, request.key));
    const own = headersToStore(request);
    putObject(change, {
      bucket: request.bucket,
      key: request.key,
      contentId: addContent(change, readSegments(change.db, found.contentId, 0, found.bytes)),
      etag: found.etag,
      modifiedMs,
      headers: directive === "REPLACE" ? own : withStorageClass(found.headers, own["x-amz-storage-class"]),
      checksum: found.checksum,
    });
    return found;
  });
  const checksum = source.checksum;
  return {
    status: 200,
    xml: {
      root: "CopyObjectResult",
      children: {
        LastModified: new Date(modifiedMs).toISOString(),
        ETag: `"${source.etag}"`,
        ...(checksum === undefined ? {} : { [`Checksum${checksum.algorithm}`]: checksum.value }),
      },
    },
  };
};

/** A copy has the storage class that is asked for it, not its source's. */
function withStorageClass(headers: StoredHeaders, storageClass = "STANDARD"): StoredHeaders {
  return { ...headers, "x-amz-storage-class": storageClass };
}
