// A report of a comparison as it grows: everything is counted, and the first findings of each kind are kept.
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import type { ComparedStorage, StorageReport } from "#shared/contracts/upkeep.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";

const KEPT_OF_A_KIND = 20;
const DETAIL_CHARS = 300;

export function newStorageReport(isDryRun: boolean, now: Date): StorageReport {
  return {
    at: now.toISOString(),
    dry_run: isDryRun,
    ...{ sites: 0, backups: 0, objects: 0, objects_bytes: 0, failed_sites: 0 },
    storages: [],
    counts: {},
    findings: [],
    next_cursor: null,
  };
}

/** Adds a storage's line to `report`, to be counted up. */
export function addStorage(
  report: StorageReport,
  { provider_id, name }: Pick<ComparedStorage, "provider_id" | "name">,
): ComparedStorage {
  const counts = { sites: 0, backups: 0, objects: 0, objects_bytes: 0 };
  const line: ComparedStorage = { provider_id, name, ...counts, error: null };
  report.storages.push(line);
  return line;
}

/** Of all its storages so far. Changes `report`. */
export function sumStorages(report: StorageReport): void {
  for (const what of ["sites", "backups", "objects", "objects_bytes"] as const) {
    report[what] = report.storages.reduce((sum, storage) => sum + storage[what], 0);
  }
}

/**
 * What was not compared and should have been, in words; undefined when all was. Keys that may not list are as
 * docs/SECURITY.md advises for nodes: an alarm that such a storage rings each day would hide all others.
 */
export function failureOf({ failed_sites: sites, storages }: StorageReport): string | undefined {
  const errors = storages.flatMap(({ error, provider_id: id }) =>
    error === null || (error.code === DENIED && id !== DEFAULT_PROVIDER) ? [] : error.message,
  );
  if (sites > 0) errors.unshift(`${sites} sites could not be compared.`);
  return errors.length === 0 ? undefined : errors.join(" ");
}

const DENIED: ErrorCode = "storage_denied";

interface Counting<K extends string, F extends { readonly kind: K }> {
  readonly counts: Partial<Record<K, number>>;
  readonly findings: F[];
}

/** Changes `report`. */
export function addFinding<K extends string, F extends { readonly kind: K; readonly detail: string }>(
  report: Counting<K, F>,
  finding: F,
): void {
  const count = (report.counts[finding.kind] ?? 0) + 1;
  report.counts[finding.kind] = count;
  if (count <= KEPT_OF_A_KIND)
    report.findings.push({ ...finding, detail: finding.detail.slice(0, DETAIL_CHARS) });
}

/** Below it lies what the Master itself keeps in the bucket; no node's id begins so. */
export const OWN_PREFIX = "_backupd/";

export function isOwnKey(key: string): boolean {
  return key.startsWith(OWN_PREFIX);
}
