// Ledgers of open uploads as test data.
import type { Opened } from "#runner/io/upload-ledger.ts";

export function openedUpload(fields: Partial<Opened> = {}): Opened {
  return {
    is: "upload",
    version: 1,
    job_id: "job",
    site_id: "site",
    bucket: "backups",
    key: "node/site/shop_20300101_030000.tar.zst",
    upload_id: "upload",
    token: "token",
    opened_at: "2030-01-01T03:00:00.000Z",
    last_number: 0,
    gap: { tar_offset: 0, tar_bytes: 0 },
    ...fields,
  };
}
