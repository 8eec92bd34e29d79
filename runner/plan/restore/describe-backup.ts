// One line per backup, for `backupd list`. Pure.
import type { Backup } from "#shared/contracts/backups.ts";
import { formatBytes } from "#shared/units.ts";

const SHORT_ID = 8;

export function formatBackup(backup: Backup): string {
  const { archive, warnings_total: warnings } = backup;
  const notes = [
    archive.mode,
    ...(backup.proved_at === null ? [] : [`proved ${backup.proved_at.slice(0, 10)}`]),
    ...(backup.proved_at !== null || backup.verified_at === null
      ? []
      : [`verified ${backup.verified_at.slice(0, 10)}`]),
    ...(backup.verification_failed === null ? [] : ["DAMAGED: a verification failed"]),
    ...(backup.hold === null ? [] : ["on hold"]),
    ...(warnings === 0 ? [] : [`${warnings} warnings`]),
  ];
  const when = backup.created_at.slice(0, 16).replace("T", " ");
  return [
    backup.id.slice(0, SHORT_ID),
    when,
    formatBytes(backup.size_bytes).padStart(8),
    `${archive.files} files`.padStart(13),
    backup.site_name,
    notes.join(", "),
  ].join("  ");
}
