// Buckets and objects in the metadata: what a key holds now, and replacing or deleting it in one step.
import type { Checksum } from "../checksums.ts";
import { S3Error } from "../s3-error.ts";
import { dropContent } from "./contents.ts";
import type { Database } from "./database.ts";
import type { Change } from "./store.ts";

/** Response headers kept with an object, by lower-case name. */
export type StoredHeaders = Readonly<Record<string, string>>;

export interface StoredObject {
  readonly key: string;
  readonly contentId: number;
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly headers: StoredHeaders;
  readonly checksum?: Checksum;
  /** The multipart upload that made it. */
  readonly uploadId?: string;
}

interface ObjectRow {
  readonly key: Uint8Array;
  readonly content_id: number;
  readonly bytes: number;
  readonly etag: string;
  readonly modified_ms: number;
  readonly headers: string;
  readonly checksum: string | null;
  readonly upload_id: string | null;
}

const COLUMNS = "key, content_id, bytes, etag, modified_ms, headers, checksum, upload_id";

function fromRow(row: ObjectRow): StoredObject {
  return {
    key: Buffer.from(row.key).toString("utf8"),
    contentId: row.content_id,
    bytes: row.bytes,
    etag: row.etag,
    modifiedMs: row.modified_ms,
    headers: JSON.parse(row.headers) as StoredHeaders,
    ...(row.checksum === null ? {} : { checksum: JSON.parse(row.checksum) as Checksum }),
    ...(row.upload_id === null ? {} : { uploadId: row.upload_id }),
  };
}

export function requireBucket(db: Database, bucket: string): void {
  if (db.get("SELECT 1 FROM buckets WHERE name = ?", bucket) !== undefined) return;
  throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket });
}

export function findObject(db: Database, bucket: string, key: string): StoredObject | undefined {
  const row = db.get<ObjectRow>(
    `SELECT ${COLUMNS} FROM objects JOIN contents USING (content_id) WHERE bucket = ? AND key = ?`,
    bucket,
    Buffer.from(key),
  );
  return row === undefined ? undefined : fromRow(row);
}

/** Objects whose keys are >= `from`, in key order. */
export function scanObjects(db: Database, bucket: string, from: Uint8Array, limit: number): StoredObject[] {
  return db
    .all<ObjectRow>(
      `SELECT ${COLUMNS} FROM objects JOIN contents USING (content_id)
       WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?`,
      bucket,
      from,
      limit,
    )
    .map(fromRow);
}

export interface NewObject {
  readonly bucket: string;
  readonly key: string;
  readonly contentId: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly headers: StoredHeaders;
  readonly checksum?: Checksum | undefined;
  readonly uploadId?: string;
}

export function putObject(change: Change, object: NewObject): void {
  const replaced = findObject(change.db, object.bucket, object.key);
  change.db.run(
    `INSERT OR REPLACE INTO objects (bucket, key, content_id, etag, modified_ms, headers, checksum, upload_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    object.bucket,
    Buffer.from(object.key),
    object.contentId,
    object.etag,
    object.modifiedMs,
    JSON.stringify(object.headers),
    object.checksum === undefined ? null : JSON.stringify(object.checksum),
    object.uploadId ?? null,
  );
  if (replaced !== undefined) dropContent(change, replaced.contentId);
}

/** Deleting what is not there is no error, as in S3. */
export function deleteObject(change: Change, bucket: string, key: string): void {
  const object = findObject(change.db, bucket, key);
  if (object === undefined) return;
  change.db.run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, Buffer.from(key));
  dropContent(change, object.contentId);
}
