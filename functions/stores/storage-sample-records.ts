// How much the backups used, one sample a day for the fleet and for each tenant; DynamoDB clears them after some years.
import { Entity } from "electrodb";
import type { StorageSample } from "../core/storage-use.ts";
import { key, type Table, ttlSeconds } from "./table.ts";

const KEEP_DAYS = 3 * 366;

function sampleEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "storage_sample", version: "1", service: "backupd" },
      attributes: {
        scope: { type: "string", required: true },
        date: { type: "string", required: true },
        bytes: { type: "number", required: true },
        backups: { type: "number", required: true },
        ttl: { type: "number", hidden: true },
      },
      indexes: { byDay: { pk: key("pk", ["scope"]), sk: key("sk", ["date"]) } },
    },
    { client: table.client, table: table.name },
  );
}

export interface StorageSampleRecords {
  /** Replaces the day's. */
  save(sample: StorageSample): Promise<void>;
  /** From that day on, in order. */
  since(scope: string, date: string): Promise<StorageSample[]>;
}

export function openStorageSampleRecords(table: Table): StorageSampleRecords {
  const samples = sampleEntity(table);
  return {
    async save(sample) {
      await samples.put({ ...sample, ttl: ttlSeconds(`${sample.date}T00:00:00.000Z`, KEEP_DAYS) }).go();
    },
    async since(scope, date) {
      return (await samples.query.byDay({ scope }).gte({ date }).go({ pages: "all" })).data;
    },
  };
}
