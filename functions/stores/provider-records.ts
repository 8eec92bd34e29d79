// Storage providers, and which sites have ever chosen which: only where a site has chosen can backups lie, so that who uses
// a provider is known without an index over all backups. There are few providers, so they lie in one partition.
import { CustomAttributeType, Entity } from "electrodb";
import type { ProviderFeatures } from "#shared/contracts/storage.ts";
import type { ProviderRecord, SiteRecord } from "../core/records.ts";
import { ifCondition } from "./node-records.ts";
import { key, type Table } from "./table.ts";
import { asPut, asUpdate, transact, type WriteItem } from "./transact.ts";

function providerEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "storage_provider", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        version: { type: "number", required: true },
        kind: { type: ["aws", "s3"] as const, required: true },
        name: { type: "string", required: true },
        region: { type: "string", required: true },
        bucket: { type: "string", required: true },
        role_arn: { type: "string" },
        endpoint: { type: "string" },
        force_path_style: { type: "boolean" },
        access_key_id: { type: "string" },
        sealed_secret: { type: "string" },
        created_at: { type: "string", required: true },
        tested_at: { type: "string" },
        features: { type: CustomAttributeType<ProviderFeatures>("any") },
      },
      indexes: { all: { pk: key("pk", []), sk: key("sk", ["id"]) } },
    },
    { client: table.client, table: table.name },
  );
}

function choiceEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "storage_choice", version: "1", service: "backupd" },
      attributes: {
        provider_id: { type: "string", required: true },
        site_id: { type: "string", required: true },
        node_id: { type: "string", required: true },
      },
      indexes: { byProvider: { pk: key("pk", ["provider_id"]), sk: key("sk", ["site_id"]) } },
    },
    { client: table.client, table: table.name },
  );
}

export interface StorageChoice {
  readonly provider_id: string;
  readonly site_id: string;
  readonly node_id: string;
}

export interface ProviderRecords {
  get(id: string): Promise<ProviderRecord | undefined>;
  all(): Promise<ProviderRecord[]>;
  create(provider: ProviderRecord): Promise<void>;
  /** Of a table that is rebuilt; false when there is such a provider. */
  restore(provider: ProviderRecord): Promise<boolean>;
  /** False, as `remove`, when it has changed since `before` was read. */
  change(change: { before: ProviderRecord; after: ProviderRecord }): Promise<boolean>;
  remove(provider: ProviderRecord): Promise<boolean>;
  /** Every site that has ever chosen it. */
  choices(id: string): Promise<StorageChoice[]>;
  forgetChoices(choices: readonly StorageChoice[]): Promise<void>;
  /** Go into the transaction in which a site chooses it; they fail when it is gone. */
  chooseItems(id: string, site: Pick<SiteRecord, "id" | "node_id">): WriteItem[];
  /** That the site has archives there. */
  restoreChoice(id: string, site: Pick<SiteRecord, "id" | "node_id">): Promise<void>;
}

export function openProviderRecords(table: Table): ProviderRecords {
  const providers = providerEntity(table);
  const choices = choiceEntity(table);
  return {
    async get(id) {
      return (await providers.get({ id }).go({ consistent: true })).data ?? undefined;
    },
    async all() {
      return (await providers.query.all({}).go({ pages: "all", consistent: true })).data;
    },
    async create(provider) {
      await providers.create(provider).go();
    },
    async restore(provider) {
      return transact(table, [asPut(providers.create(provider).params())]);
    },
    async change({ before, after }) {
      const put = providers
        .put({ ...after, version: before.version + 1 })
        .where(({ version }, { eq }) => eq(version, before.version));
      return (await ifCondition(put.go())) !== undefined;
    },
    async remove({ id, version: known }) {
      const removal = providers.remove({ id }).where(({ version }, { eq }) => eq(version, known));
      return (await ifCondition(removal.go())) !== undefined;
    },
    async choices(id) {
      return (await choices.query.byProvider({ provider_id: id }).go({ pages: "all", consistent: true }))
        .data;
    },
    async forgetChoices(forgotten) {
      for (const choice of forgotten) await choices.delete(choice).go();
    },
    async restoreChoice(id, site) {
      await choices.put({ provider_id: id, site_id: site.id, node_id: site.node_id }).go();
    },
    chooseItems(id, site) {
      return [
        // So that a deletion that is under way sees that somebody has come.
        asUpdate(providers.patch({ id }).add({ version: 1 }).params()),
        asPut(choices.put({ provider_id: id, site_id: site.id, node_id: site.node_id }).params()),
      ];
    },
  };
}
