// Backups that were deleted: who did it and why, for those who miss one, and whether the object is gone, too. A record
// is deleted before its object, so that nothing on record is ever missing; what a crash leaves in between is found here.
import { CustomAttributeType, Entity } from "electrodb";
import type { BackupRecord, DeletedBackupRecord } from "../core/records.ts";
import { key, type Table, ttlSeconds } from "./table.ts";
import { asPut, type WriteItem } from "./transact.ts";

const KEEP_DAYS = 400;

function deletedBackupEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "deleted_backup", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        backup: { type: CustomAttributeType<BackupRecord>("any"), required: true },
        deleted_at: { type: "string", required: true },
        by: { type: "string", required: true },
        why: { type: "string", required: true },
        object: { type: ["there", "gone"] as const, required: true },
        ttl: { type: "number", hidden: true },
      },
      indexes: {
        byId: { pk: key("pk", ["id"]), sk: key("sk", []) },
        byObject: { index: "gsi1", pk: key("gsi1pk", ["object"]), sk: key("gsi1sk", ["deleted_at", "id"]) },
      },
    },
    { client: table.client, table: table.name },
  );
}

export interface DeletedBackupRecords {
  get(id: string): Promise<DeletedBackupRecord | undefined>;
  /** The oldest of those whose object may still be there. */
  withObject(limit: number): Promise<DeletedBackupRecord[]>;
  objectGone(deleted: DeletedBackupRecord): Promise<void>;
  createItem(deleted: DeletedBackupRecord): WriteItem;
}

export function openDeletedBackupRecords(table: Table): DeletedBackupRecords {
  const backups = deletedBackupEntity(table);
  const withTtl = (deleted: DeletedBackupRecord) => ({
    ...deleted,
    ttl: ttlSeconds(deleted.deleted_at, KEEP_DAYS),
  });
  return {
    async get(id) {
      return (await backups.get({ id }).go({ consistent: true })).data ?? undefined;
    },
    async withObject(limit) {
      return (await backups.query.byObject({ object: "there" }).go({ limit })).data;
    },
    async objectGone(deleted) {
      await backups.put(withTtl({ ...deleted, object: "gone" })).go();
    },
    createItem(deleted) {
      return asPut(backups.create(withTtl(deleted)).params());
    },
  };
}
