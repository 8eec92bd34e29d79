// PutObject: body to a new part file, then one transaction that makes it the object.
import { checksumHeader } from "../checksums.ts";
import { requireWritable } from "../conditions.ts";
import { headersToStore, refuseUnkeptPromises } from "../object-headers.ts";
import type { Operation } from "../request.ts";
import { addContent, addPartFile } from "../store/contents.ts";
import { findObject, putObject, requireBucket } from "../store/objects.ts";
import { receivePart } from "../store/receive-part.ts";

export const MAX_BODY_BYTES: number = 5 * 1024 ** 3;

export const putObjectOperation: Operation = async (request, { store, now }) => {
  request.require("PutObject", { key: request.key });
  refuseUnkeptPromises(request);
  requireBucket(store.db, request.bucket);
  const headers = headersToStore(request);
  const conditions = { ifMatch: request.header("if-match"), ifNoneMatch: request.header("if-none-match") };
  const { md5, checksum } = await receivePart(
    store,
    (sink) => request.receive({ maxBytes: MAX_BODY_BYTES, md5: true }, sink),
    (change, segments, summary) => {
      requireBucket(change.db, request.bucket);
      // Judged where it takes effect: of two concurrent If-None-Match puts, one loses.
      requireWritable(conditions, findObject(change.db, request.bucket, request.key));
      for (const segment of segments) addPartFile(change, segment, summary.checksum);
      putObject(change, {
        bucket: request.bucket,
        key: request.key,
        contentId: addContent(change, segments),
        etag: summary.md5,
        modifiedMs: now().getTime(),
        headers,
        checksum: summary.checksum,
      });
    },
  );
  return {
    status: 200,
    headers: {
      etag: `"${md5}"`,
      ...(checksum === undefined
        ? {}
        : { [checksumHeader(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": "FULL_OBJECT" }),
    },
  };
};
