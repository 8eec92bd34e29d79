// Deletes a backup: its record in one transaction, then its object. Both the operators' call and the retention go
// through here; a crash in between leaves an object that the next retention run removes.
import { BackupError } from "#shared/errors.ts";
import { objectKey } from "#shared/object-key.ts";
import { deleteBackup } from "../core/delete-backup.ts";
import type { ActivityRecord, BackupRecord, DeletedBackupRecord } from "../core/records.ts";
import type { Deps } from "../deps.ts";
import { settleRace } from "../stores/settle-race.ts";
import { loadBackup } from "./load.ts";
import { activeJobOf } from "./site-jobs.ts";

export interface DeletionOrder {
  readonly by: string;
  readonly why: string;
  readonly activity?: ActivityRecord;
}

/** @throws BackupError `not_found`, `backup_held`, `conflict`. */
export async function removeBackup(
  id: string,
  order: DeletionOrder,
  deps: Deps<"records" | "storages">,
): Promise<BackupRecord> {
  const deleted = await settleRace(async () => {
    const backup = await loadBackup(id, deps);
    const site = await deps.records.sites.get(backup.site_id);
    if (site === undefined)
      throw new BackupError("not_found", { detail: "The backup's site has no record." });
    const newest = await deps.records.backups.newestOfSite(backup.node_id, backup.site_id, 2);
    const activeJob = await activeJobOf(site, deps);
    const step = deleteBackup({ ...order, backup, site, newest, activeJob }, deps.now());
    if (step.refusal !== undefined) throw step.refusal;
    return (await deps.records.commit(step)) ? step.deleted : undefined;
  });
  await removeObject(deleted, deps);
  return deleted.backup;
}

/** In a bucket with versions, an administrator can bring the object back until they expire. */
export async function removeObject(
  deleted: DeletedBackupRecord,
  deps: Deps<"records" | "storages">,
): Promise<void> {
  const objects = await deps.storages.at(deleted.backup.provider_id);
  await objects.remove(objectKey(deleted.backup.s3_path));
  await deps.records.deletedBackups.objectGone(deleted);
}
