// A report of a comparison as it grows: everything is counted, and the first findings of each kind are kept.
import type { StorageReport } from "#shared/contracts/upkeep.ts";

const KEPT_OF_A_KIND = 20;
const DETAIL_CHARS = 300;

export function newStorageReport(isDryRun: boolean, now: Date): StorageReport {
  return {
    at: now.toISOString(),
    dry_run: isDryRun,
    ...{ sites: 0, backups: 0, objects: 0, objects_bytes: 0, failed_sites: 0 },
    counts: {},
    findings: [],
    next_cursor: null,
  };
}

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
