// What a node is told of an archive that it is to read: where it lies, what it must hash to, and a URL that works
// also where the node's own credentials do not reach (an archive of another node).
import type { SourceBackup } from "#shared/contracts/restores.ts";
import type { BackupRecord } from "./records.ts";

/** A Lambda role's own session ends after hours, and its URLs with it: a longer promise would not be kept. */
export const SOURCE_URL_SECONDS = 3_600;

export function sourceBackup(backup: BackupRecord, url: string, now: Date): SourceBackup {
  return {
    backup_id: backup.id,
    site_id: backup.site_id,
    site_name: backup.site_name,
    created_at: backup.created_at,
    s3_path: backup.s3_path,
    size_bytes: backup.size_bytes,
    etag: backup.archive.etag,
    sha256_index: backup.archive.sha256_index,
    sha256_dump: backup.archive.sha256_dump,
    url,
    url_expires_at: new Date(now.getTime() + SOURCE_URL_SECONDS * 1000).toISOString(),
  };
}

export function archiveName(backup: Pick<BackupRecord, "s3_path">): string {
  return backup.s3_path.slice(backup.s3_path.lastIndexOf("/") + 1);
}
