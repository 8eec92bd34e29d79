// The audit trail: written once, never changed, listed newest first, and cleared by DynamoDB after 400 days.
import { CustomAttributeType, Entity } from "electrodb";
import type { ActivityRecord } from "../core/records.ts";
import { type Page, type PageRequest, readPage } from "./page.ts";
import { key, ofTenant, type Table, ttlSeconds } from "./table.ts";
import { asPut, type WriteItem } from "./transact.ts";

const KEEP_DAYS = 400;

function activityEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "activity", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        tenant: { type: "string" },
        at: { type: "string", required: true },
        actor: { type: CustomAttributeType<ActivityRecord["actor"]>("any"), required: true },
        action: { type: "string", required: true },
        target: { type: CustomAttributeType<ActivityRecord["target"]>("any"), required: true },
        details: { type: CustomAttributeType<Record<string, unknown>>("any"), required: true },
        correlation_id: { type: "string" },
        ttl: { type: "number", hidden: true },
      },
      indexes: { all: { pk: key("pk", []), sk: key("sk", ["at", "id"]) }, ofTenant: ofTenant(["at", "id"]) },
    },
    { client: table.client, table: table.name },
  );
}

export interface ActivityRecords {
  add(activity: ActivityRecord): Promise<void>;
  /** To be written together with what it tells of. */
  addItem(activity: ActivityRecord): WriteItem;
  list(page: PageRequest): Promise<Page<ActivityRecord>>;
  listOfTenant(page: PageRequest, tenant: string): Promise<Page<ActivityRecord>>;
}

export function openActivityRecords(table: Table): ActivityRecords {
  const activities = activityEntity(table);
  const creation = (activity: ActivityRecord) =>
    activities.create({ ...activity, ttl: ttlSeconds(activity.at, KEEP_DAYS) });
  return {
    async add(activity) {
      await creation(activity).go();
    },
    addItem(activity) {
      return asPut(creation(activity).params());
    },
    list(page) {
      return readPage("activity", activities.query.all({}), page);
    },
    listOfTenant(page, tenant) {
      return readPage(`activity@${tenant}`, activities.query.ofTenant({ tenant }), page);
    },
  };
}
