// Multipart uploads and their parts in the metadata.
import type { ChecksumAlgorithm, ChecksumType } from "../checksums.ts";
import { S3Error } from "../s3-error.ts";
import { addContent, dropContent } from "./contents.ts";
import type { Database } from "./database.ts";
import type { StoredHeaders } from "./objects.ts";
import type { Segment } from "./segments.ts";
import type { Change } from "./store.ts";

export interface UploadChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
}

export interface Upload {
  readonly uploadId: string;
  readonly bucket: string;
  readonly key: string;
  readonly createdMs: number;
  readonly headers: StoredHeaders;
  readonly checksum?: UploadChecksum;
}

export interface Part {
  readonly number: number;
  readonly contentId: number;
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
  /** Base64, of the upload's algorithm. */
  readonly checksum?: string;
}

interface UploadRow {
  readonly upload_id: string;
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly created_ms: number;
  readonly headers: string;
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum_type: ChecksumType | null;
}

interface PartRow {
  readonly number: number;
  readonly content_id: number;
  readonly bytes: number;
  readonly etag: string;
  readonly modified_ms: number;
  readonly checksum: string | null;
}

function uploadFromRow(row: UploadRow): Upload {
  return {
    uploadId: row.upload_id,
    bucket: row.bucket,
    key: Buffer.from(row.key).toString("utf8"),
    createdMs: row.created_ms,
    headers: JSON.parse(row.headers) as StoredHeaders,
    ...(row.checksum_algorithm === null || row.checksum_type === null
      ? {}
      : { checksum: { algorithm: row.checksum_algorithm, type: row.checksum_type } }),
  };
}

export function addUpload(change: Change, upload: Upload): void {
  change.db.run(
    `INSERT INTO uploads (upload_id, bucket, key, created_ms, headers, checksum_algorithm, checksum_type)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    upload.uploadId,
    upload.bucket,
    Buffer.from(upload.key),
    upload.createdMs,
    JSON.stringify(upload.headers),
    upload.checksum?.algorithm ?? null,
    upload.checksum?.type ?? null,
  );
}

export function findUpload(db: Database, bucket: string, key: string, uploadId: string): Upload | undefined {
  const row = db.get<UploadRow>(
    "SELECT * FROM uploads WHERE upload_id = ? AND bucket = ? AND key = ?",
    uploadId,
    bucket,
    Buffer.from(key),
  );
  return row === undefined ? undefined : uploadFromRow(row);
}

export function requireUpload(db: Database, bucket: string, key: string, uploadId: string): Upload {
  const upload = findUpload(db, bucket, key, uploadId);
  if (upload !== undefined) return upload;
  throw new S3Error(
    "NoSuchUpload",
    "The upload does not exist: it was never begun, or was completed or aborted.",
  );
}

/** Uploads after (`afterKey`, `afterUploadId`) in key order whose keys begin with `prefix`. */
export function scanUploads(
  db: Database,
  bucket: string,
  page: { prefix: string; afterKey: string; afterUploadId: string; limit: number },
): Upload[] {
  const prefix = Buffer.from(page.prefix);
  return db
    .all<UploadRow>(
      `SELECT * FROM uploads WHERE bucket = ? AND (key, upload_id) > (?, ?)
       AND substr(key, 1, ?) = ? ORDER BY key, upload_id LIMIT ?`,
      bucket,
      Buffer.from(page.afterKey),
      page.afterUploadId,
      prefix.length,
      prefix,
      page.limit,
    )
    .map(uploadFromRow);
}

export function listParts(db: Database, uploadId: string, afterNumber = 0, limit = -1): Part[] {
  return db
    .all<PartRow>(
      `SELECT number, content_id, bytes, etag, modified_ms, checksum FROM parts JOIN contents USING (content_id)
       WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?`,
      uploadId,
      afterNumber,
      limit,
    )
    .map((row) => ({
      number: row.number,
      contentId: row.content_id,
      bytes: row.bytes,
      etag: row.etag,
      modifiedMs: row.modified_ms,
      ...(row.checksum === null ? {} : { checksum: row.checksum }),
    }));
}

export interface NewPart {
  readonly uploadId: string;
  readonly number: number;
  readonly segments: readonly Segment[];
  readonly etag: string;
  readonly modifiedMs: number;
  readonly checksum?: string | undefined;
}

/** The last part sent under a number is the one that counts. */
export function putPart(change: Change, part: NewPart): void {
  const replaced = change.db.get<{ content_id: number }>(
    "SELECT content_id FROM parts WHERE upload_id = ? AND number = ?",
    part.uploadId,
    part.number,
  );
  change.db.run(
    `INSERT OR REPLACE INTO parts (upload_id, number, content_id, etag, modified_ms, checksum)
     VALUES (?, ?, ?, ?, ?, ?)`,
    part.uploadId,
    part.number,
    addContent(change, part.segments),
    part.etag,
    part.modifiedMs,
    part.checksum ?? null,
  );
  if (replaced !== undefined) dropContent(change, replaced.content_id);
}

/** Ends an upload and lets go of all its parts; what a new object shares with them stays. */
export function dropUpload(change: Change, uploadId: string): void {
  const parts = listParts(change.db, uploadId);
  change.db.run("DELETE FROM parts WHERE upload_id = ?", uploadId);
  for (const part of parts) dropContent(change, part.contentId);
  change.db.run("DELETE FROM uploads WHERE upload_id = ?", uploadId);
}
