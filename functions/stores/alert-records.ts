// Alerts that are open, or closed so lately that they might come back. There are few, so they lie in one partition.
import { CustomAttributeType, Entity } from "electrodb";
import { PROBLEM_KINDS } from "#shared/contracts/alerts.ts";
import type { AlertRecord } from "../core/alerts.ts";
import { key, ofTenant, type Table } from "./table.ts";

function alertEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "alert", version: "1", service: "backupd" },
      attributes: {
        key: { type: "string", required: true },
        tenant: { type: "string" },
        kind: { type: PROBLEM_KINDS, required: true },
        target: { type: CustomAttributeType<AlertRecord["target"]>("any"), required: true },
        text: { type: "string", required: true },
        state: { type: ["open", "closed"] as const, required: true },
        opened_at: { type: "string", required: true },
        told_at: { type: "string", required: true },
        told: { type: "number", required: true },
        closed_at: { type: "string" },
      },
      indexes: { all: { pk: key("pk", []), sk: key("sk", ["key"]) }, ofTenant: ofTenant(["key"]) },
    },
    { client: table.client, table: table.name },
  );
}

export interface AlertRecords {
  all(): Promise<AlertRecord[]>;
  allOfTenant(tenant: string): Promise<AlertRecord[]>;
  save(alert: AlertRecord): Promise<void>;
  remove(alert: AlertRecord): Promise<void>;
}

export function openAlertRecords(table: Table): AlertRecords {
  const alerts = alertEntity(table);
  return {
    async all() {
      return (await alerts.query.all({}).go({ pages: "all", consistent: true })).data;
    },
    async allOfTenant(tenant) {
      return (await alerts.query.ofTenant({ tenant }).go({ pages: "all" })).data;
    },
    async save(alert) {
      await alerts.put(alert).go();
    },
    async remove({ key: name }) {
      await alerts.delete({ key: name }).go();
    },
  };
}
