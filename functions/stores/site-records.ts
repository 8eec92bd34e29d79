// Sites, and the reservation of each name and path on its node.
import { createHash } from "node:crypto";
import { CustomAttributeType, Entity } from "electrodb";
import type { Retention } from "#shared/contracts/retention.ts";
import type { LastJob, ProofSchedule, RecentDays, Schedule } from "#shared/contracts/sites.ts";
import type { Change } from "../core/job-state.ts";
import type { SiteRecord } from "../core/records.ts";
import type { NodeRecords } from "./node-records.ts";
import { type Page, type PageRequest, readPage } from "./page.ts";
import { key, ofTenant, type Table } from "./table.ts";
import { asDelete, asPut, transact, type WriteItem } from "./transact.ts";

function siteEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "site", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        version: { type: "number", required: true },
        life: { type: ["live", "removed"] as const, required: true },
        tenant: { type: "string" },
        tenant_changed_at: { type: "string" },
        node_id: { type: "string", required: true },
        name: { type: "string", required: true },
        path: { type: "string", required: true },
        state: { type: ["active", "paused"] as const, required: true },
        created_at: { type: "string", required: true },
        schedule: { type: CustomAttributeType<Schedule>("any") },
        retention: { type: CustomAttributeType<Retention>("any") },
        retention_accepted_at: { type: "string" },
        retention_stop: { type: CustomAttributeType<NonNullable<SiteRecord["retention_stop"]>>("any") },
        proof: { type: CustomAttributeType<ProofSchedule>("any") },
        quota_bytes: { type: "number" },
        exclude: { type: CustomAttributeType<string[]>("any"), required: true },
        storage_provider_id: { type: "string" },
        active_job_id: { type: "string" },
        last_job_id: { type: "string" },
        last_backup_id: { type: "string" },
        last_backup_at: { type: "string" },
        last_backup_bytes: { type: "number" },
        last_job: { type: CustomAttributeType<LastJob>("any") },
        recent_days: { type: CustomAttributeType<RecentDays>("any") },
        storage_fault: { type: CustomAttributeType<NonNullable<SiteRecord["storage_fault"]>>("any") },
        last_proved_at: { type: "string" },
        last_path_at: { type: "string" },
      },
      indexes: {
        byId: { pk: key("pk", ["id"]), sk: key("sk", []) },
        all: { index: "gsi1", pk: key("gsi1pk", ["life"]), sk: key("gsi1sk", ["created_at", "id"]) },
        byNode: {
          index: "gsi2",
          pk: key("gsi2pk", ["node_id", "life"]),
          sk: key("gsi2sk", ["created_at", "id"]),
        },
        ofTenant: ofTenant(["life", "created_at", "id"]),
      },
    },
    { client: table.client, table: table.name },
  );
}

/** What may occur once per node. A path is hashed because it may be longer than a key. */
function reservationEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "site_reservation", version: "1", service: "backupd" },
      attributes: {
        node_id: { type: "string", required: true },
        what: { type: ["name", "path"] as const, required: true },
        digest: { type: "string", required: true },
        site_id: { type: "string", required: true },
      },
      indexes: { byValue: { pk: key("pk", ["node_id"]), sk: key("sk", ["what", "digest"]) } },
    },
    { client: table.client, table: table.name },
  );
}

export interface SiteRecords {
  get(id: string): Promise<SiteRecord | undefined>;
  list(page: PageRequest, nodeId?: string): Promise<Page<SiteRecord>>;
  listOfTenant(page: PageRequest, tenant: string): Promise<Page<SiteRecord>>;
  /** All live sites, for what has to look at each of them. */
  all(): Promise<SiteRecord[]>;
  /** The removed ones, too. */
  everyOne(): Promise<SiteRecord[]>;
  allOfTenant(tenant: string): Promise<SiteRecord[]>;
  /** All live sites of a node. */
  ofNode(nodeId: string): Promise<SiteRecord[]>;
  /** The three writes below are false when a condition failed: node gone or another tenant's, name or path taken, site changed. */
  create(site: SiteRecord, also?: readonly WriteItem[]): Promise<boolean>;
  /** Of a table that is rebuilt; false when there is such a site, or its name or path is taken. */
  restore(site: SiteRecord): Promise<boolean>;
  change(change: { before: SiteRecord; after: SiteRecord }, also?: readonly WriteItem[]): Promise<boolean>;
  remove(change: { before: SiteRecord; after: SiteRecord }): Promise<boolean>;
  /** Which of the two another site of the node has. */
  taken(site: SiteRecord): Promise<"name" | "path" | undefined>;
  changeItem(change: Change<SiteRecord>): WriteItem;
}

export function openSiteRecords(table: Table, nodes: NodeRecords): SiteRecords {
  const sites = siteEntity(table);
  const reservations = reservationEntity(table);

  const values = (site: SiteRecord) =>
    [
      { node_id: site.node_id, what: "name", digest: digest(site.name.toLowerCase()), site_id: site.id },
      { node_id: site.node_id, what: "path", digest: digest(site.path), site_id: site.id },
    ] as const;
  const changeItem = ({ before, after }: Change<SiteRecord>): WriteItem => {
    if (before === undefined) return asPut(sites.create({ ...after, version: 1 }).params());
    return asPut(
      sites
        .put({ ...after, version: before.version + 1 })
        .where(({ version }, { eq }) => eq(version, before.version))
        .params(),
    );
  };
  const reserve = (value: ReturnType<typeof values>[number]): WriteItem =>
    asPut(reservations.create(value).params());
  const free = (value: ReturnType<typeof values>[number]): WriteItem =>
    asDelete(reservations.delete(value).params());

  return {
    changeItem,
    async get(id) {
      return (await sites.get({ id }).go({ consistent: true })).data ?? undefined;
    },
    list(page, nodeId) {
      return nodeId === undefined
        ? readPage("sites", sites.query.all({ life: "live" }), page)
        : readPage(`sites/${nodeId}`, sites.query.byNode({ node_id: nodeId, life: "live" }), page);
    },
    listOfTenant(page, tenant) {
      return readPage(`sites@${tenant}`, sites.query.ofTenant({ tenant, life: "live" }), page);
    },
    async all() {
      return (await sites.query.all({ life: "live" }).go({ pages: "all" })).data;
    },
    async allOfTenant(tenant) {
      return (await sites.query.ofTenant({ tenant, life: "live" }).go({ pages: "all" })).data;
    },
    async everyOne() {
      const lives = await Promise.all(
        (["live", "removed"] as const).map((life) => sites.query.all({ life }).go({ pages: "all" })),
      );
      return lives.flatMap(({ data }) => data);
    },
    async ofNode(nodeId) {
      return (await sites.query.byNode({ node_id: nodeId, life: "live" }).go({ pages: "all" })).data;
    },
    create(site, also = []) {
      return transact(table, [
        nodes.countSite(site, 1),
        changeItem({ before: undefined, after: site }),
        ...values(site).map(reserve),
        ...also,
      ]);
    },
    restore(site) {
      const isLive = site.life === "live";
      return transact(table, [
        ...(isLive ? [nodes.countRestored(site.node_id)] : []),
        changeItem({ before: undefined, after: site }),
        ...(isLive ? values(site).map(reserve) : []),
      ]);
    },
    change(change, also = []) {
      const [old, fresh] = [values(change.before), values(change.after)];
      const moved = ([0, 1] as const).filter((at) => old[at].digest !== fresh[at].digest);
      return transact(table, [
        changeItem(change),
        ...moved.flatMap((at) => [free(old[at]), reserve(fresh[at])]),
        ...(change.before.tenant === change.after.tenant ? [] : [nodes.moveSiteItem(change.after)]),
        ...also,
      ]);
    },
    remove(change) {
      return transact(table, [
        nodes.countSite(change.before, -1),
        changeItem(change),
        ...values(change.before).map(free),
      ]);
    },
    async taken(site) {
      for (const value of values(site)) {
        const found = (await reservations.get(value).go({ consistent: true })).data;
        if (found !== null && found.site_id !== site.id) return value.what;
      }
      return undefined;
    },
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
