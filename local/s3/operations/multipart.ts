// The beginning and the parts of a multipart upload: create, upload a part, copy a part, abort. The ETag of a part is
// opaque, as on AWS for buckets with SSE-KMS: an MD5 of bytes that come with a checksum of their own costs more than all
// else that is done with them, and clients must not rely on it.
import { createHash, randomBytes } from "node:crypto";
import { checksumHeader, isChecksumAlgorithm } from "../checksums.ts";
import { parseCopyRange } from "../conditions.ts";
import { headersToStore, refuseUnkeptPromises } from "../object-headers.ts";
import type { Operation, S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { addPartFile, contentExists, readSegments } from "../store/contents.ts";
import { requireBucket } from "../store/objects.ts";
import { rangeChecksum } from "../store/range-checksum.ts";
import { receivePart } from "../store/receive-part.ts";
import {
  addUpload,
  dropUpload,
  putPart,
  requireUpload,
  type Upload,
  type UploadChecksum,
} from "../store/uploads.ts";
import { requireCopySource } from "./copy-source.ts";
import { MAX_BODY_BYTES } from "./put-object.ts";

const MAX_PART_NUMBER = 10_000;

export const createMultipartUpload: Operation = async (request, { store, now }) => {
  request.require("PutObject", { key: request.key });
  refuseUnkeptPromises(request);
  const checksum = readUploadChecksum(request);
  const upload: Upload = {
    uploadId: randomBytes(24).toString("base64url"),
    bucket: request.bucket,
    key: request.key,
    createdMs: now().getTime(),
    headers: headersToStore(request),
    ...(checksum === undefined ? {} : { checksum }),
  };
  await store.change((change) => {
    requireBucket(change.db, request.bucket);
    addUpload(change, upload);
  });
  return {
    status: 200,
    headers:
      checksum === undefined
        ? {}
        : { "x-amz-checksum-algorithm": checksum.algorithm, "x-amz-checksum-type": checksum.type },
    xml: {
      root: "InitiateMultipartUploadResult",
      children: { Bucket: request.bucket, Key: request.key, UploadId: upload.uploadId },
    },
  };
};

function readUploadChecksum(request: S3Request): UploadChecksum | undefined {
  const algorithm = request.header("x-amz-checksum-algorithm")?.toUpperCase();
  if (algorithm === undefined) return undefined;
  if (!isChecksumAlgorithm(algorithm)) {
    throw new S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.");
  }
  const type =
    request.header("x-amz-checksum-type") ?? (algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE");
  const fits =
    (type === "FULL_OBJECT" && algorithm.startsWith("CRC")) ||
    (type === "COMPOSITE" && algorithm !== "CRC64NVME");
  if (!fits)
    throw new S3Error("InvalidRequest", `The ${type} checksum type cannot be used with ${algorithm}.`);
  return { algorithm, type };
}

export const uploadPart: Operation = async (request, { store, now }) => {
  request.require("PutObject", { key: request.key });
  const number = readPartNumber(request);
  const upload = openUpload(request, store.db);
  const algorithm = upload.checksum?.algorithm;
  // Parts of a composite checksum must bring their own, as on AWS; for a full one the server computes what is missing.
  const wanted = upload.checksum?.type === "FULL_OBJECT" ? algorithm : undefined;
  const etag = randomBytes(16).toString("hex");
  const { checksum } = await receivePart(
    store,
    (sink) => request.receive({ maxBytes: MAX_BODY_BYTES, md5: false, wanted }, sink),
    (change, segments, summary) => {
      // Aborted or completed while the bytes came in: they belong to nothing then.
      openUpload(request, change.db);
      const actual = summary.checksum?.algorithm;
      if (algorithm !== undefined && actual !== algorithm) {
        throw new S3Error(
          "InvalidRequest",
          `Checksum Type mismatch occurred, expected checksum Type: ${algorithm}, actual checksum Type: ${actual ?? null}`,
        );
      }
      for (const segment of segments) addPartFile(change, segment, summary.checksum);
      putPart(change, {
        uploadId: upload.uploadId,
        number,
        segments,
        etag,
        modifiedMs: now().getTime(),
        checksum: algorithm === undefined ? undefined : summary.checksum?.value,
      });
    },
  );
  return {
    status: 200,
    headers: {
      etag: `"${etag}"`,
      ...(checksum === undefined ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value }),
    },
  };
};

export const uploadPartCopy: Operation = async (request, context) => {
  request.require("PutObject", { key: request.key });
  const { store } = context;
  const number = readPartNumber(request);
  const upload = openUpload(request, store.db);
  const source = requireCopySource(request, context);
  const range = parseCopyRange(request.header("x-amz-copy-source-range"), source.bytes);
  if (range.lengthBytes > MAX_BODY_BYTES) {
    throw new S3Error(
      "InvalidRequest",
      "The specified copy source is larger than the maximum allowable part size.",
    );
  }
  const segments = readSegments(store.db, source.contentId, range.startBytes, range.lengthBytes);
  const release = store.files.pin(segments.map((segment) => segment.partFile));
  try {
    const algorithm = upload.checksum?.algorithm;
    const checksum = algorithm === undefined ? undefined : await rangeChecksum(store, segments, algorithm);
    // No byte is read for it: an ETag is opaque, and equal ranges of equal files have equal ones.
    const etag = createHash("md5").update(JSON.stringify(segments)).digest("hex");
    const modifiedMs = context.now().getTime();
    await store.change((change) => {
      openUpload(request, change.db);
      if (!contentExists(change.db, source.contentId)) {
        throw new S3Error("SlowDown", "The source was replaced during the copy. Try again.");
      }
      putPart(change, { uploadId: upload.uploadId, number, segments, etag, modifiedMs, checksum });
    });
    return {
      status: 200,
      xml: {
        root: "CopyPartResult",
        children: {
          LastModified: new Date(modifiedMs).toISOString(),
          ETag: `"${etag}"`,
          ...(algorithm === undefined ? {} : { [`Checksum${algorithm}`]: checksum }),
        },
      },
    };
  } finally {
    await release();
  }
};

export const abortMultipartUpload: Operation = async (request, { store }) => {
  request.require("AbortMultipartUpload", { key: request.key });
  await store.change((change) => dropUpload(change, openUpload(request, change.db).uploadId));
  return { status: 204 };
};

export function openUpload(request: S3Request, db: Parameters<typeof requireUpload>[0]): Upload {
  requireBucket(db, request.bucket);
  return requireUpload(db, request.bucket, request.key, request.query("uploadId") ?? "");
}

function readPartNumber(request: S3Request): number {
  const number = Number(request.query("partNumber"));
  if (Number.isInteger(number) && number >= 1 && number <= MAX_PART_NUMBER) return number;
  throw new S3Error(
    "InvalidArgument",
    `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`,
  );
}
