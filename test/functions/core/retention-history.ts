// Backups as retention tests need them: any number at any times, good unless they say otherwise.
import type { WatchedBackup } from "#functions/core/retention-alarms.ts";
import type { Archive } from "#shared/contracts/backups.ts";
import { archiveFacts } from "#test/helpers/archive-facts.ts";

type Extra = Partial<Omit<WatchedBackup, "archive">> & { readonly archive?: Partial<Archive> };

export function backupAt(created_at: string, { archive, ...extra }: Extra = {}): WatchedBackup {
  const id = `id-${created_at}`;
  return { id, created_at, size_bytes: 1000, archive: archiveFacts(archive), ...extra };
}

export const DAMAGED = {
  at: "2030-01-01T00:00:00.000Z",
  job_id: "job",
  deep: true,
  error: { code: "archive_corrupt", message: "a frame is damaged" },
  findings: [],
};

/** One every `stepHours`, the last at `end`. */
export function history(count: number, stepHours: number, end = "2026-11-22T03:00:00.000Z"): WatchedBackup[] {
  const last = Date.parse(end);
  return Array.from({ length: count }, (_, at) =>
    backupAt(new Date(last - (count - 1 - at) * stepHours * 3_600_000).toISOString()),
  );
}
