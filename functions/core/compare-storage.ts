// A site's records held against what the storage has below the site's prefix, in both directions. A finding here is a
// suspicion: whoever acts on it looks at that one object again, because lists and records are read at different moments.
import { objectKey } from "#shared/object-key.ts";
import { formatBytes } from "#shared/units.ts";
import { errorReport, type Step } from "./job-state.ts";
import type { BackupRecord, SiteRecord } from "./records.ts";
import { isSameEtag, type StoredObject } from "./stored-object.ts";

export interface Fault {
  readonly kind: "missing" | "changed" | "returned";
  readonly backup: BackupRecord;
  readonly why: string;
}
export type Difference = Fault | { readonly kind: "unrecorded"; readonly object: StoredObject };

/** `backups`: of this storage. `elsewhere`: the site's others, whose storages may be the same bucket under another name. */
export function compareSite(
  backups: readonly BackupRecord[],
  objects: readonly StoredObject[],
  elsewhere: readonly BackupRecord[] = [],
): Difference[] {
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const recorded = new Set([...backups, ...elsewhere].map(({ s3_path: path }) => objectKey(path)));
  const strange = objects
    .filter(({ key }) => !recorded.has(key))
    .map((object): Difference => ({ kind: "unrecorded", object }));
  const faults = backups.flatMap(
    (backup) => compareBackup(backup, byKey.get(objectKey(backup.s3_path))) ?? [],
  );
  return [...faults, ...strange];
}

/** undefined when both are as they should be, and the record does not say otherwise. */
export function compareBackup(backup: BackupRecord, object: StoredObject | undefined): Fault | undefined {
  if (object === undefined) return { kind: "missing", backup, why: "The archive is gone from the storage." };
  const { size_bytes: sizeBytes, archive } = backup;
  if (object.size_bytes !== sizeBytes) {
    const sizes = `${formatBytes(object.size_bytes)} instead of ${formatBytes(sizeBytes)}`;
    return { kind: "changed", backup, why: `The object has ${sizes}.` };
  }
  // Some storages complete an upload without telling its ETag.
  if (archive.etag !== "" && object.etag !== "" && !isSameEtag(archive.etag, object.etag)) {
    return { kind: "changed", backup, why: "The object has another ETag: it was written again." };
  }
  return isFaulty(backup) ? { kind: "returned", backup, why: "The archive is there again." } : undefined;
}

/** Whether the record says that this comparison, and no verification, has found it wrong. */
export function isFaulty({ verification_failed: failed }: BackupRecord): boolean {
  return failed !== undefined && failed.job_id === undefined;
}

/** What the record is to say; undefined when it says so already. */
export function markDifference(
  { kind, backup, why }: Fault,
  now: Date,
): NonNullable<Step["mark"]> | undefined {
  const { verification_failed: failed } = backup;
  if (kind === "returned") return { backup, set: {}, remove: ["verification_failed"] };
  // What a verification has found goes deeper, and only a verification takes it back.
  if (failed !== undefined && (failed.job_id !== undefined || failed.error.message === why)) return undefined;
  const error = errorReport("archive_unavailable", why);
  const findings = [{ code: kind === "missing" ? "object_missing" : "object_changed", message: why }];
  return { backup, set: { verification_failed: { at: now.toISOString(), deep: false, error, findings } } };
}

const IDS_KEPT = 10;

/** The site as it is to be after its faulty backups were looked up; the same object when nothing changes. */
export function withStorageFault(site: SiteRecord, faulty: readonly BackupRecord[], now: Date): SiteRecord {
  const ids = faulty.map(({ id }) => id).slice(0, IDS_KEPT);
  const { storage_fault: known, ...rest } = site;
  if (ids.length === 0) return known === undefined ? site : rest;
  if (known?.count === faulty.length && known.backup_ids.join() === ids.join()) return site;
  return {
    ...rest,
    storage_fault: { at: known?.at ?? now.toISOString(), count: faulty.length, backup_ids: ids },
  };
}
