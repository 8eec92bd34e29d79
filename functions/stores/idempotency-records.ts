// Which POSTs were made under which Idempotency-Key. Everything is a conditional put, also letting a key go: so functions
// need no right to delete for it.
import { Entity } from "electrodb";
import type { IdempotencyRecord } from "../core/idempotency.ts";
import { ifCondition } from "./node-records.ts";
import { key, type Table, ttlSeconds } from "./table.ts";

const KEEP_DAYS = 1;

function idempotencyEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "idempotency", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        attempt: { type: "string", required: true },
        state: { type: ["in_flight", "done", "released"] as const, required: true },
        fingerprint: { type: "string", required: true },
        expires_at: { type: "string", required: true },
        answer: { type: "string" },
        ttl: { type: "number", hidden: true },
      },
      indexes: { byId: { pk: key("pk", ["id"]), sk: key("sk", []) } },
    },
    { client: table.client, table: table.name },
  );
}

export interface IdempotencyRecords {
  get(id: string): Promise<IdempotencyRecord | undefined>;
  /** False when another call has the key and its time is not over. */
  begin(record: IdempotencyRecord, now: Date): Promise<boolean>;
  /** Keeps the answer or lets the key go; false when another call has taken it over meanwhile. */
  end(record: IdempotencyRecord): Promise<boolean>;
}

export function openIdempotencyRecords(table: Table): IdempotencyRecords {
  const calls = idempotencyEntity(table);
  const put = (record: IdempotencyRecord) =>
    calls.put({ ...record, ttl: ttlSeconds(record.expires_at, KEEP_DAYS) });
  return {
    async get(id) {
      return (await calls.get({ id }).go({ consistent: true })).data ?? undefined;
    },
    async begin(record, now) {
      const write = put(record).where(
        ({ id, expires_at }, { notExists, lte }) =>
          `${notExists(id)} OR ${lte(expires_at, now.toISOString())}`,
      );
      return (await ifCondition(write.go())) !== undefined;
    },
    async end(record) {
      const write = put(record).where(({ attempt }, { eq }) => eq(attempt, record.attempt));
      return (await ifCondition(write.go())) !== undefined;
    },
  };
}
