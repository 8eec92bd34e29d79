// Nodes, and the reservation of each signing key.
import { CustomAttributeType, Entity } from "electrodb";
import type { Heartbeat } from "#shared/contracts/nodes.ts";
import type { NodeRecord } from "../core/records.ts";
import { type Page, type PageRequest, readPage } from "./page.ts";
import { key, type Table } from "./table.ts";
import { asPut, asUpdate, type WriteItem } from "./transact.ts";

function nodeEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "node", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        life: { type: ["live", "removed"] as const, required: true },
        name: { type: "string", required: true },
        state: { type: ["active", "disabled"] as const, required: true },
        created_at: { type: "string", required: true },
        signing_key: { type: "string", required: true },
        age_recipient: { type: "string", required: true },
        queue_url: { type: "string", required: true },
        site_count: { type: "number", required: true },
        quota_bytes: { type: "number" },
        version: { type: "string" },
        platform: { type: "string" },
        last_seen_at: { type: "string" },
        disk_free_bytes: { type: "number" },
        disk_total_bytes: { type: "number" },
        running_job_id: { type: "string" },
        outbox_length: { type: "number" },
        discovered_sites: { type: CustomAttributeType<Heartbeat["discovered_sites"]>("any") },
      },
      indexes: {
        byId: { pk: key("pk", ["id"]), sk: key("sk", []) },
        all: { index: "gsi1", pk: key("gsi1pk", ["life"]), sk: key("gsi1sk", ["created_at", "id"]) },
      },
    },
    { client: table.client, table: table.name },
  );
}

/** Reserves a signing key for ever: two nodes with one key could not be told apart. */
function signingKeyEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "signing_key", version: "1", service: "backupd" },
      attributes: { x: { type: "string", required: true }, node_id: { type: "string", required: true } },
      indexes: { byKey: { pk: key("pk", ["x"]), sk: key("sk", []) } },
    },
    { client: table.client, table: table.name },
  );
}

export interface NodeRecords {
  get(id: string): Promise<NodeRecord | undefined>;
  list(page: PageRequest): Promise<Page<NodeRecord>>;
  /** All live nodes. */
  all(): Promise<NodeRecord[]>;
  /** False when the node is gone. */
  change(id: string, change: NodeChange): Promise<NodeRecord | undefined>;
  heartbeat(id: string, beat: Heartbeat, at: string): Promise<boolean>;
  /** Removes a node that has no sites; false when it has some, or is gone. */
  remove(node: NodeRecord): Promise<boolean>;
  createItems(node: NodeRecord): WriteItem[];
  /** Counts a site in or out; fails unless the node is there, and for a new site also active. */
  countSite(nodeId: string, by: 1 | -1): WriteItem;
  signingKeyTaken(x: string): Promise<boolean>;
}

export interface NodeChange {
  readonly name?: string | undefined;
  readonly state?: "active" | "disabled" | undefined;
  /** null lifts the quota. */
  readonly quota_bytes?: number | null | undefined;
}

export function openNodeRecords(table: Table): NodeRecords {
  const nodes = nodeEntity(table);
  const keys = signingKeyEntity(table);
  return {
    async get(id) {
      return (await nodes.get({ id }).go({ consistent: true })).data ?? undefined;
    },
    list(page) {
      return readPage("nodes", nodes.query.all({ life: "live" }), page);
    },
    async all() {
      return (await nodes.query.all({ life: "live" }).go({ pages: "all" })).data;
    },
    async change(id, { name, state, quota_bytes: quotaBytes }) {
      const set = {
        ...(name === undefined ? {} : { name }),
        ...(state === undefined ? {} : { state }),
        ...(quotaBytes === undefined || quotaBytes === null ? {} : { quota_bytes: quotaBytes }),
      };
      const update = nodes.update({ id }).set(set);
      const changed = await ifCondition(
        (quotaBytes === null ? update.remove(["quota_bytes"]) : update)
          .where(({ life }, { eq }) => eq(life, "live"))
          .go({ response: "all_new" }),
      );
      return changed === undefined ? undefined : (changed.data as NodeRecord);
    },
    async heartbeat(id, beat, at) {
      const { running_job_id: jobId, ...rest } = beat;
      const update = nodes.update({ id }).set({ ...rest, last_seen_at: at });
      const withJob =
        jobId === null ? update.remove(["running_job_id"]) : update.set({ running_job_id: jobId });
      const done = await ifCondition(withJob.where(({ life }, { eq }) => eq(life, "live")).go());
      return done !== undefined;
    },
    async remove(node) {
      const done = await ifCondition(
        nodes
          .update({ id: node.id })
          .set({ life: "removed", state: "disabled" })
          .composite({ created_at: node.created_at })
          .where(({ life, site_count: count }, { eq }) => `${eq(life, "live")} AND ${eq(count, 0)}`)
          .go(),
      );
      return done !== undefined;
    },
    createItems(node) {
      return [
        asPut(nodes.create(node).params()),
        asPut(keys.create({ x: node.signing_key, node_id: node.id }).params()),
      ];
    },
    countSite(id, by) {
      const update = nodes.update({ id }).add({ site_count: by });
      const isReady = by === 1 ? "active" : undefined;
      return asUpdate(
        update
          .where(({ life, state }, { eq }) =>
            isReady === undefined ? eq(life, "live") : `${eq(life, "live")} AND ${eq(state, isReady)}`,
          )
          .params(),
      );
    },
    async signingKeyTaken(x) {
      return (await keys.get({ x }).go({ consistent: true })).data !== null;
    },
  };
}

/** undefined instead of an error when the write's condition did not hold. */
export async function ifCondition<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isConditionFailure(error)) return undefined;
    throw error;
  }
}

/** ElectroDB wraps the SDK's errors. */
function isConditionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "ConditionalCheckFailedException" || isConditionFailure(error.cause);
}
