// What the store holds in metadata and on disk, for tests that assert that nothing was lost or left behind.
import type { Store } from "./store/store.ts";

export interface S3Inspection {
  readonly objects: readonly { readonly bucket: string; readonly key: string; readonly bytes: number }[];
  readonly openUploads: readonly {
    readonly bucket: string;
    readonly key: string;
    readonly uploadId: string;
  }[];
  /** As the metadata has them. */
  readonly partFiles: { readonly count: number; readonly bytes: number };
  /** As the directory has them: more than partFiles only while bytes are on their way in. */
  readonly filesOnDisk: number;
}

export async function inspectStore({ db, files }: Store): Promise<S3Inspection> {
  const filesOnDisk = (await files.names()).length;
  const objects = db.all<{ bucket: string; key: Uint8Array; bytes: number }>(
    "SELECT bucket, key, bytes FROM objects JOIN contents USING (content_id) ORDER BY bucket, key",
  );
  const uploads = db.all<{ bucket: string; key: Uint8Array; uploadId: string }>(
    "SELECT bucket, key, upload_id AS uploadId FROM uploads ORDER BY bucket, key, upload_id",
  );
  const totals = db.get<{ count: number; bytes: number | null }>(
    "SELECT count(*) AS count, sum(bytes) AS bytes FROM part_files",
  );
  const withText = <Row extends { key: Uint8Array }>(row: Row): Omit<Row, "key"> & { key: string } => ({
    ...row,
    key: Buffer.from(row.key).toString("utf8"),
  });
  return {
    objects: objects.map(withText),
    openUploads: uploads.map(withText),
    partFiles: { count: totals?.count ?? 0, bytes: totals?.bytes ?? 0 },
    filesOnDisk,
  };
}
