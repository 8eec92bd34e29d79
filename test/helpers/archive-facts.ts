// An archive as a report describes it, for tests that are about other things.
import type { Archive } from "#shared/contracts/backups.ts";

export function archiveFacts(changes: Partial<Archive> = {}): Archive {
  return {
    format: 1,
    sha256_index: "1".repeat(64),
    sha256_dump: "0".repeat(64),
    etag: '"etag"',
    mode: "full",
    full_reason: "no_previous",
    frames: 1,
    tar_bytes: 10_240,
    index_bytes: 300,
    bytes_read: 1500,
    bytes_compressed: 700,
    bytes_uploaded: 1000,
    bytes_copied: 0,
    bytes_resumed: 0,
    requests: 3,
    files: 3,
    entries: 5,
    entries_unchanged: 0,
    entries_changed: 0,
    entries_added: 5,
    entries_deleted: 0,
    files_compared: { unchanged: 0, changed: 0, added: 3, deleted: 0 },
    files_bytes: 1000,
    db_bytes: 500,
    peak_rss_bytes: 100_000_000,
    ...changes,
  };
}
