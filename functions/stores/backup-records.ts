// Finished backups. They lie under their node, by site and time, so that what a site or a node uses is one
// consistent Query of the table itself; an index would lag behind.
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { CustomAttributeType, Entity } from "electrodb";
import type { Warning } from "#shared/contracts/backups.ts";
import type { VerifyResult } from "#shared/contracts/restores.ts";
import type { BackupMark } from "../core/job-state.ts";
import type { UsedBackup } from "../core/quota.ts";
import type { BackupRecord, FailedVerification, SiteRecord, StageSeconds } from "../core/records.ts";
import { ifCondition } from "./node-records.ts";
import { type Page, type PageRequest, readPage } from "./page.ts";
import { key, ofTenant, type Table } from "./table.ts";
import { asDelete, asPut, asUpdate, type WriteItem } from "./transact.ts";

function backupEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "backup", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        tenant: { type: "string" },
        job_id: { type: "string", required: true },
        site_id: { type: "string", required: true },
        site_name: { type: "string", required: true },
        node_id: { type: "string", required: true },
        trigger: { type: ["schedule", "manual"] as const, required: true },
        created_at: { type: "string", required: true },
        s3_path: { type: "string", required: true },
        provider_id: { type: "string" },
        size_bytes: { type: "number", required: true },
        archive: { type: CustomAttributeType<BackupRecord["archive"]>("any"), required: true },
        started_at: { type: "string", required: true },
        finished_at: { type: "string", required: true },
        stages: { type: CustomAttributeType<StageSeconds[]>("any"), required: true },
        warnings: { type: CustomAttributeType<Warning[]>("any"), required: true },
        warnings_total: { type: "number", required: true },
        origin: { type: ["index"] as const },
        hold: { type: CustomAttributeType<NonNullable<BackupRecord["hold"]>>("any") },
        last_read_at: { type: "string" },
        verified_at: { type: "string" },
        proved_at: { type: "string" },
        proof: { type: CustomAttributeType<VerifyResult>("any") },
        verification_failed: { type: CustomAttributeType<FailedVerification>("any") },
      },
      indexes: {
        byNode: { pk: key("pk", ["node_id"]), sk: key("sk", ["site_id", "created_at", "id"]) },
        all: { index: "gsi1", pk: key("gsi1pk", []), sk: key("gsi1sk", ["created_at", "id"]) },
        byId: { index: "gsi2", pk: key("gsi2pk", ["id"]), sk: key("gsi2sk", []) },
        newestOfNode: {
          index: "gsi3",
          pk: key("gsi3pk", ["node_id"]),
          sk: key("gsi3sk", ["created_at", "id"]),
        },
        ofTenant: ofTenant(["created_at", "id"]),
      },
    },
    { client: table.client, table: table.name },
  );
}

export type InventoriedBackup = Pick<
  BackupRecord,
  "site_id" | "s3_path" | "size_bytes" | "provider_id" | "hold" | "verification_failed"
>;

export interface BackupRecords {
  get(id: string): Promise<BackupRecord | undefined>;
  list(page: PageRequest): Promise<Page<BackupRecord>>;
  listOfSite(page: PageRequest, site: Pick<SiteRecord, "id" | "node_id">): Promise<Page<BackupRecord>>;
  listOfNode(page: PageRequest, nodeId: string): Promise<Page<BackupRecord>>;
  listOfTenant(page: PageRequest, tenant: string): Promise<Page<BackupRecord>>;
  /** Sizes of all backups of a node, consistent with every write before. */
  usedByNode(nodeId: string): Promise<UsedBackup[]>;
  /** All backups of a node, with what is added up and kept of each. */
  inventoryOf(nodeId: string): Promise<InventoriedBackup[]>;
  /** The newest backups of a site that lie under that node, newest first, consistent with every write before. */
  newestOfSite(nodeId: string, siteId: string, limit: number): Promise<BackupRecord[]>;
  /** All backups of a site that lie under that node, consistent with every write before. */
  ofSite(nodeId: string, siteId: string): Promise<BackupRecord[]>;
  /** Whether any backup of the site is at that path. */
  isPathUsed(nodeId: string, siteId: string, s3Path: string): Promise<boolean>;
  /** Nothing but that, whatever else becomes of it meanwhile; one that is gone stays gone. */
  changeTenant(backup: BackupRecord, tenant: string | undefined): Promise<void>;
  /** How many of the site's backups lie in that storage. */
  countAt(providerId: string, site: Pick<SiteRecord, "id" | "node_id">): Promise<number>;
  createItem(backup: BackupRecord): WriteItem;
  /** Fails when the backup is gone. */
  markItem(mark: BackupMark): WriteItem;
  /** Fails when the backup is gone or on hold. */
  deleteItem(backup: BackupRecord): WriteItem;
}

export function openBackupRecords(table: Table): BackupRecords {
  const backups = backupEntity(table);
  return {
    async get(id) {
      return (await backups.query.byId({ id }).go({ limit: 1 })).data[0];
    },
    list(page) {
      return readPage("backups", backups.query.all({}), page);
    },
    listOfSite(page, site) {
      const query = backups.query.byNode({ node_id: site.node_id, site_id: site.id });
      return readPage(`backups/${site.id}`, query, page);
    },
    listOfNode(page, nodeId) {
      return readPage(`backups/node/${nodeId}`, backups.query.newestOfNode({ node_id: nodeId }), page);
    },
    listOfTenant(page, tenant) {
      return readPage(`backups@${tenant}`, backups.query.ofTenant({ tenant }), page);
    },
    async usedByNode(nodeId) {
      const query = backups.query.byNode({ node_id: nodeId });
      const wanted: ("site_id" | "created_at" | "size_bytes")[] = ["site_id", "created_at", "size_bytes"];
      return (await query.go({ pages: "all", consistent: true, attributes: wanted })).data;
    },
    async inventoryOf(nodeId) {
      const query = backups.query.byNode({ node_id: nodeId });
      const wanted: (keyof InventoriedBackup)[] = [
        "site_id",
        "s3_path",
        "size_bytes",
        "hold",
        "verification_failed",
        "provider_id",
      ];
      return (await query.go({ pages: "all", attributes: wanted })).data;
    },
    async newestOfSite(nodeId, siteId, limit) {
      const query = backups.query.byNode({ node_id: nodeId, site_id: siteId });
      return (await query.go({ order: "desc", limit, consistent: true })).data;
    },
    async ofSite(nodeId, siteId) {
      const query = backups.query.byNode({ node_id: nodeId, site_id: siteId });
      return (await query.go({ pages: "all", consistent: true })).data;
    },
    async isPathUsed(nodeId, siteId, s3Path) {
      const query = backups.query.byNode({ node_id: nodeId, site_id: siteId });
      const { data } = await query.go({ pages: "all", consistent: true, attributes: ["s3_path"] });
      return data.some((backup) => backup.s3_path === s3Path);
    },
    async changeTenant(backup, tenant) {
      // Not ElectroDB's update, which leaves out the key of the tenants' index where nothing of it changes: a backup of a
      // time before tenants lacks it.
      const { pk, sk, gsi4sk } = (backups.put(backup).params() as { Item: Record<string, string> }).Item;
      const update = new UpdateCommand({
        TableName: table.name,
        Key: { pk, sk },
        ConditionExpression: "attribute_exists(pk)",
        UpdateExpression: `SET gsi4sk = :key${tenant === undefined ? " REMOVE tenant" : ", tenant = :tenant"}`,
        ExpressionAttributeValues: { ":key": gsi4sk, ...(tenant === undefined ? {} : { ":tenant": tenant }) },
      });
      await ifCondition(table.client.send(update));
    },
    async countAt(providerId, { id, node_id }) {
      const query = backups.query.byNode({ node_id, site_id: id });
      const { data } = await query.go({ pages: "all", consistent: true, attributes: ["provider_id"] });
      return data.filter(({ provider_id }) => provider_id === providerId).length;
    },
    createItem(backup) {
      return asPut(backups.create(backup).params());
    },
    deleteItem({ node_id, site_id, created_at, id }) {
      return asDelete(
        backups
          .remove({ node_id, site_id, created_at, id })
          .where(({ hold }, { notExists }) => notExists(hold))
          .params(),
      );
    },
    markItem({ backup, set, remove = [] }) {
      const { node_id, site_id, created_at, id } = backup;
      return asUpdate(
        backups
          .patch({ node_id, site_id, created_at, id })
          .set(set)
          .remove([...remove])
          .params(),
      );
    },
  };
}
