// CompleteMultipartUpload: checks the client's list against the parts and makes them one object in one step,
// without moving a byte.
import { createHash } from "node:crypto";
import { type Checksum, checksumHeader, multipartChecksum } from "../checksums.ts";
import { requireWritable } from "../conditions.ts";
import type { Operation, S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { addContent, readSegments } from "../store/contents.ts";
import type { Database } from "../store/database.ts";
import { findObject, putObject } from "../store/objects.ts";
import { dropUpload, findUpload, listParts, type Part, type Upload } from "../store/uploads.ts";
import { isRecord, malformed, readXml } from "../xml.ts";
import { openUpload } from "./multipart.ts";

const MIN_PART_BYTES = 5 * 1024 * 1024;

interface ListedPart {
  readonly number: number;
  readonly etag: string;
  /** The Checksum… elements, by name. */
  readonly checksums: Readonly<Record<string, unknown>>;
}

interface Completed {
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
}

export const completeMultipartUpload: Operation = async (request, { store, now }) => {
  request.require("PutObject", { key: request.key });
  const listed = readPartList(await request.receiveText());
  const etag = multipartEtag(listed);
  const completed = await store.change((change): Completed => {
    const repeated = findCompleted(request, change.db, etag);
    if (repeated !== undefined) return repeated;
    const upload = openUpload(request, change.db);
    const parts = matchParts(listed, listParts(change.db, upload.uploadId), upload);
    requireExpectedSize(request, parts);
    const checksum = checksumOfParts(request, upload, parts);
    const current = findObject(change.db, request.bucket, request.key);
    requireWritable(
      { ifMatch: request.header("if-match"), ifNoneMatch: request.header("if-none-match") },
      current,
    );
    const segments = parts.flatMap((part) => readSegments(change.db, part.contentId, 0, part.bytes));
    putObject(change, {
      bucket: request.bucket,
      key: request.key,
      contentId: addContent(change, segments),
      etag,
      modifiedMs: now().getTime(),
      headers: upload.headers,
      checksum,
      uploadId: upload.uploadId,
    });
    dropUpload(change, upload.uploadId);
    return { etag, checksum };
  });
  const { checksum } = completed;
  return {
    status: 200,
    xml: {
      root: "CompleteMultipartUploadResult",
      children: {
        Location: `/${request.bucket}/${request.key}`,
        Bucket: request.bucket,
        Key: request.key,
        ETag: `"${etag}"`,
        ...(checksum === undefined
          ? {}
          : { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type }),
      },
    },
  };
};

/** S3 answers a repeated Complete as it did the first: a client whose answer was lost must be able to ask again. */
function findCompleted(request: S3Request, db: Database, etag: string): Completed | undefined {
  const uploadId = request.query("uploadId") ?? "";
  if (findUpload(db, request.bucket, request.key, uploadId) !== undefined) return undefined;
  const object = findObject(db, request.bucket, request.key);
  return object?.uploadId === uploadId && object.etag === etag ? object : undefined;
}

function readPartList(xml: string): ListedPart[] {
  const list = readXml(xml, "CompleteMultipartUpload", ["Part"]);
  const elements = Array.isArray(list.Part) ? (list.Part as unknown[]) : [];
  if (elements.length === 0) throw malformed();
  const parts = elements.map((element): ListedPart => {
    if (!isRecord(element) || typeof element.ETag !== "string") throw malformed();
    const number = Number(element.PartNumber);
    if (!Number.isInteger(number) || number < 1) throw malformed();
    return { number, etag: element.ETag.replaceAll('"', "").trim(), checksums: element };
  });
  if (parts.some((part, index) => index > 0 && part.number <= (parts[index - 1]?.number ?? 0))) {
    throw new S3Error("InvalidPartOrder", "The list of parts was not in ascending order.");
  }
  return parts;
}

function matchParts(listed: readonly ListedPart[], uploaded: readonly Part[], upload: Upload): Part[] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  const algorithm = upload.checksum?.algorithm;
  return listed.map((wanted, index) => {
    const part = byNumber.get(wanted.number);
    const claimed = algorithm === undefined ? undefined : wanted.checksums[`Checksum${algorithm}`];
    if (claimed === undefined && upload.checksum?.type === "COMPOSITE") {
      throw new S3Error(
        "InvalidRequest",
        `The upload was created using a ${algorithm?.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${wanted.number} in the request.`,
      );
    }
    if (part?.etag !== wanted.etag || (claimed !== undefined && claimed !== part.checksum)) {
      throw new S3Error(
        "InvalidPart",
        "A specified part could not be found, or its ETag or checksum differs.",
        {
          PartNumber: wanted.number,
        },
      );
    }
    if (part.bytes < MIN_PART_BYTES && index < listed.length - 1) {
      throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
        ProposedSize: part.bytes,
        MinSizeAllowed: MIN_PART_BYTES,
        PartNumber: part.number,
      });
    }
    return part;
  });
}

function multipartEtag(parts: readonly ListedPart[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(Buffer.from(part.etag, "hex"));
  return `${hash.digest("hex")}-${parts.length}`;
}

function requireExpectedSize(request: S3Request, parts: readonly Part[]): void {
  const expected = request.header("x-amz-mp-object-size");
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (expected === undefined || Number(expected) === bytes) return;
  throw new S3Error("InvalidRequest", `The object has ${bytes} bytes, not the announced ${expected}.`);
}

function checksumOfParts(request: S3Request, upload: Upload, parts: readonly Part[]): Checksum | undefined {
  if (upload.checksum === undefined) return undefined;
  const { algorithm, type } = upload.checksum;
  const values = parts.map((part) => ({ bytes: part.bytes, value: part.checksum ?? "" }));
  const checksum = multipartChecksum(algorithm, type, values);
  const expected = request.header(checksumHeader(algorithm));
  if (
    expected !== undefined &&
    expected !== checksum.value &&
    expected !== checksum.value.replace(/-\d+$/, "")
  ) {
    throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
  }
  return checksum;
}
