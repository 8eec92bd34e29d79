// ListParts and ListMultipartUploads.
import type { Operation } from "../request.ts";
import { requireBucket } from "../store/objects.ts";
import { listParts, scanUploads } from "../store/uploads.ts";
import { notImplemented } from "../target.ts";
import { listingEncoder, readLimit } from "./list-objects.ts";
import { openUpload } from "./multipart.ts";

const OWNER = { ID: "local", DisplayName: "local" };

export const listPartsOperation: Operation = (request, { store }) => {
  request.require("ListMultipartUploadParts", { key: request.key });
  const upload = openUpload(request, store.db);
  const maxParts = readLimit(request, "max-parts");
  const afterNumber = Number(request.query("part-number-marker") ?? 0);
  const parts = listParts(store.db, upload.uploadId, afterNumber, maxParts + 1);
  const page = parts.slice(0, maxParts);
  const algorithm = upload.checksum?.algorithm;
  return {
    status: 200,
    xml: {
      root: "ListPartsResult",
      children: {
        Bucket: request.bucket,
        Key: listingEncoder(request)(request.key),
        UploadId: upload.uploadId,
        Initiator: OWNER,
        Owner: OWNER,
        StorageClass: upload.headers["x-amz-storage-class"] ?? "STANDARD",
        ChecksumAlgorithm: algorithm,
        ChecksumType: upload.checksum?.type,
        PartNumberMarker: afterNumber,
        NextPartNumberMarker: page.at(-1)?.number ?? 0,
        MaxParts: maxParts,
        IsTruncated: parts.length > page.length,
        Part: page.map((part) => ({
          PartNumber: part.number,
          LastModified: new Date(part.modifiedMs).toISOString(),
          ETag: `"${part.etag}"`,
          Size: part.bytes,
          ...(algorithm === undefined ? {} : { [`Checksum${algorithm}`]: part.checksum }),
        })),
      },
    },
  };
};

export const listMultipartUploads: Operation = (request, { store }) => {
  request.require("ListBucketMultipartUploads");
  requireBucket(store.db, request.bucket);
  if ((request.query("delimiter") ?? "") !== "")
    throw notImplemented("ListMultipartUploads with a delimiter");
  const encode = listingEncoder(request);
  const prefix = request.query("prefix") ?? "";
  const afterKey = request.query("key-marker") ?? "";
  const afterUploadId = request.query("upload-id-marker");
  const limit = readLimit(request, "max-uploads");
  const found = scanUploads(store.db, request.bucket, {
    prefix,
    afterKey,
    // Without an upload id, the page begins after all uploads of the key; "~" sorts after every base64url id.
    afterUploadId: afterUploadId ?? "~",
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  return {
    status: 200,
    xml: {
      root: "ListMultipartUploadsResult",
      children: {
        Bucket: request.bucket,
        Prefix: encode(prefix),
        KeyMarker: encode(afterKey),
        UploadIdMarker: afterUploadId ?? "",
        NextKeyMarker: encode(page.at(-1)?.key ?? ""),
        NextUploadIdMarker: page.at(-1)?.uploadId ?? "",
        MaxUploads: limit,
        IsTruncated: found.length > page.length,
        EncodingType: request.query("encoding-type"),
        Upload: page.map((upload) => ({
          Key: encode(upload.key),
          UploadId: upload.uploadId,
          Initiator: OWNER,
          Owner: OWNER,
          StorageClass: upload.headers["x-amz-storage-class"] ?? "STANDARD",
          Initiated: new Date(upload.createdMs).toISOString(),
          ChecksumAlgorithm: upload.checksum?.algorithm,
          ChecksumType: upload.checksum?.type,
        })),
      },
    },
  };
};
