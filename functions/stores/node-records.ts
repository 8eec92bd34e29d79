// Nodes, and the reservation of each signing key.
import { CustomAttributeType, Entity } from "electrodb";
import type { Heartbeat } from "#shared/contracts/nodes.ts";
import type { NodeRecord, SiteRecord } from "../core/records.ts";
import { type Page, type PageRequest, readPage } from "./page.ts";
import { key, ofTenant, type Table } from "./table.ts";
import { asPut, asUpdate, transact, type WriteItem } from "./transact.ts";

function nodeEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "node", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        life: { type: ["live", "removed"] as const, required: true },
        tenant: { type: "string" },
        name: { type: "string", required: true },
        state: { type: ["active", "disabled"] as const, required: true },
        created_at: { type: "string", required: true },
        signing_key: { type: "string", required: true },
        age_recipient: { type: "string", required: true },
        queue_url: { type: "string", required: true },
        site_count: { type: "number", required: true },
        site_moves: { type: "number" },
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
        ofTenant: ofTenant(["life", "created_at", "id"]),
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
  listOfTenant(page: PageRequest, tenant: string): Promise<Page<NodeRecord>>;
  /** All live nodes. */
  all(): Promise<NodeRecord[]>;
  /** The removed ones, too. */
  everyOne(): Promise<NodeRecord[]>;
  allOfTenant(tenant: string): Promise<NodeRecord[]>;
  /** The node that a site lies on, whoever's it is: to work with, not to show. */
  hostOf(site: SiteRecord): Promise<NodeRecord | undefined>;
  /** False when it is gone, or its sites are no longer those that were looked at. */
  changeTenant(node: NodeRecord, tenant: string | undefined): Promise<boolean>;
  /** undefined when the node is gone, or is not of that tenant. */
  change(id: string, change: NodeChange, tenant?: string): Promise<NodeRecord | undefined>;
  heartbeat(id: string, beat: Heartbeat, at: string): Promise<boolean>;
  /** Removes a node that has no sites; false when it has some, or is gone. */
  remove(node: NodeRecord): Promise<boolean>;
  createItems(node: NodeRecord): WriteItem[];
  /** Of a table that is rebuilt; false when there is such a node. */
  restore(node: NodeRecord): Promise<boolean>;
  /** The node goes on under the keys of another machine, or of the same one set up anew. */
  rekeyItems(node: NodeRecord, keys: NodeKeys): WriteItem[];
  /** Counts a site in whatever the node's state. */
  countRestored(nodeId: string): WriteItem;
  /** Counts a site in or out; fails unless the node is there, and for a new site also active and of its tenant or none. */
  countSite(site: SiteRecord, by: 1 | -1): WriteItem;
  /** Fails unless the site's new tenant is the node's, or the node has none. */
  moveSiteItem(site: SiteRecord): WriteItem;
  signingKeyTaken(x: string): Promise<boolean>;
}

export type NodeKeys = Pick<NodeRecord, "signing_key" | "age_recipient" | "queue_url" | "version">;

export interface NodeChange {
  readonly name?: string | undefined;
  readonly state?: "active" | "disabled" | undefined;
  /** null lifts the quota. */
  readonly quota_bytes?: number | null | undefined;
}

export function openNodeRecords(table: Table): NodeRecords {
  const nodes = nodeEntity(table);
  const keys = signingKeyEntity(table);
  const get = async (id: string): Promise<NodeRecord | undefined> =>
    (await nodes.get({ id }).go({ consistent: true })).data ?? undefined;
  const reserve = (x: string, id: string): WriteItem => asPut(keys.create({ x, node_id: id }).params());
  return {
    get,
    list(page) {
      return readPage("nodes", nodes.query.all({ life: "live" }), page);
    },
    listOfTenant(page, tenant) {
      return readPage(`nodes@${tenant}`, nodes.query.ofTenant({ tenant, life: "live" }), page);
    },
    async all() {
      return (await nodes.query.all({ life: "live" }).go({ pages: "all" })).data;
    },
    async everyOne() {
      const lives = await Promise.all(
        (["live", "removed"] as const).map((life) => nodes.query.all({ life }).go({ pages: "all" })),
      );
      return lives.flatMap(({ data }) => data);
    },
    async allOfTenant(tenant) {
      return (await nodes.query.ofTenant({ tenant, life: "live" }).go({ pages: "all" })).data;
    },
    hostOf(site) {
      return get(site.node_id);
    },
    async changeTenant({ id, created_at, site_count, site_moves }, tenant) {
      // `life` is set again, because a node of a time before tenants lacks the key of their index.
      const update = nodes.update({ id }).set({ life: "live", ...(tenant === undefined ? {} : { tenant }) });
      const done = await ifCondition(
        (tenant === undefined ? update.remove(["tenant"]) : update)
          .composite({ created_at })
          .where(
            (node, { eq, notExists }) =>
              `${eq(node.life, "live")} AND ${eq(node.site_count, site_count)} AND ${
                site_moves === undefined ? notExists(node.site_moves) : eq(node.site_moves, site_moves)
              }`,
          )
          .go(),
      );
      return done !== undefined;
    },
    async change(id, { name, state, quota_bytes: quotaBytes }, tenant) {
      const set = {
        ...(name === undefined ? {} : { name }),
        ...(state === undefined ? {} : { state }),
        ...(quotaBytes === undefined || quotaBytes === null ? {} : { quota_bytes: quotaBytes }),
      };
      const update = nodes.update({ id }).set(set);
      const changed = await ifCondition(
        (quotaBytes === null ? update.remove(["quota_bytes"]) : update)
          .where(
            (node, { eq }) =>
              `${eq(node.life, "live")}${tenant === undefined ? "" : ` AND ${eq(node.tenant, tenant)}`}`,
          )
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
      return [asPut(nodes.create(node).params()), reserve(node.signing_key, node.id)];
    },
    restore(node) {
      const key = node.signing_key === "" ? [] : [reserve(node.signing_key, node.id)];
      return transact(table, [asPut(nodes.create(node).params()), ...key]);
    },
    rekeyItems({ id, created_at }, own) {
      const update = nodes.update({ id }).set({ ...own, life: "live", state: "active" });
      const still = update.composite({ created_at }).where(({ life }, { eq }) => eq(life, "live"));
      return [asUpdate(still.params()), reserve(own.signing_key, id)];
    },
    countRestored(id) {
      const update = nodes.update({ id }).add({ site_count: 1 });
      return asUpdate(update.where(({ life }, { eq }) => eq(life, "live")).params());
    },
    countSite({ node_id: id, tenant }, by) {
      const update = nodes.update({ id }).add({ site_count: by });
      return asUpdate(
        update
          .where((node, { eq, notExists }) => {
            const isLive = eq(node.life, "live");
            if (by === -1) return isLive;
            const isOpen = notExists(node.tenant);
            const isTheirs = tenant === undefined ? isOpen : `(${isOpen} OR ${eq(node.tenant, tenant)})`;
            return `${isLive} AND ${eq(node.state, "active")} AND ${isTheirs}`;
          })
          .params(),
      );
    },
    moveSiteItem({ node_id: id, tenant }) {
      const update = nodes.update({ id }).add({ site_moves: 1 });
      return asUpdate(
        update
          .where((node, { eq, notExists }) => {
            const isOpen = notExists(node.tenant);
            const isTheirs = tenant === undefined ? isOpen : `(${isOpen} OR ${eq(node.tenant, tenant)})`;
            return `${eq(node.life, "live")} AND ${isTheirs}`;
          })
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
