// Which archive a claim names to copy from, and when the next backup has to be a full one.
import { expect, test } from "vitest";
import { previousBackup } from "#functions/core/previous-backup.ts";
import type { BackupRecord } from "#functions/core/records.ts";
import { archiveFacts } from "#test/helpers/archive-facts.ts";
import { DAMAGED } from "./retention-history.ts";

const ID = "00000000-0000-4000-8000-000000000000";

function backup(number: number, mode: "full" | "incremental"): BackupRecord {
  const at = "2030-01-01T00:00:00.000Z";
  return {
    id: `backup-${number}`,
    job_id: ID,
    site_id: ID,
    site_name: "shop.example.com",
    node_id: ID,
    trigger: "schedule",
    created_at: at,
    s3_path: `/${ID}/${ID}/${number}.tar.zst`,
    size_bytes: 1000 + number,
    archive: archiveFacts({ mode, etag: `"${number}"` }),
    started_at: at,
    finished_at: at,
    stages: [],
    warnings: [],
    warnings_total: 0,
  };
}

test("a site without a backup has none to copy from", () => {
  expect(previousBackup([])).toBeUndefined();
});

test("the newest one is named, with how many there were since the last full one", () => {
  const modes = ["incremental", "incremental", "full", "incremental", "full"] as const;
  expect(previousBackup(modes.map((mode, index) => backup(5 - index, mode)))).toEqual({
    backup_id: "backup-5",
    s3_path: `/${ID}/${ID}/5.tar.zst`,
    size_bytes: 1005,
    etag: '"5"',
    sha256_index: "1".repeat(64),
    backups_since_full: 2,
  });
});

test("after a full one the count begins anew", () => {
  expect(previousBackup([backup(1, "full")])?.backups_since_full).toBe(0);
});

test("a page without any full one counts as a whole", () => {
  const records = Array.from({ length: 30 }, (_, index) => backup(30 - index, "incremental"));
  expect(previousBackup(records)?.backups_since_full).toBe(30);
});

test("nothing is copied from an archive that may have inherited damage", () => {
  const failed = { ...DAMAGED, job_id: ID };
  const [good, incremental, full] = [backup(3, "incremental"), backup(2, "incremental"), backup(1, "full")];
  const damaged = { ...incremental, verification_failed: failed };
  expect(previousBackup([damaged, full])).toBeUndefined();
  expect(previousBackup([good, damaged, full])).toBeUndefined();
  // Read back and found good, or packed in full since: nothing of it is left.
  const verified = { ...good, verified_at: "2030-01-02T00:00:00.000Z" };
  expect(previousBackup([verified, damaged, full])?.backup_id).toBe("backup-3");
  expect(previousBackup([backup(3, "full"), damaged, full])?.backup_id).toBe("backup-3");
});
