// Enrolment tokens and API tokens: hashes only. They are kept for a while after their end, so that their holders
// are told what happened; then DynamoDB's time to live clears them away.
import { Entity } from "electrodb";
import { ROLES } from "#shared/contracts/identity.ts";
import type { ApiTokenRecord, EnrollmentTokenRecord } from "../core/records.ts";
import { ifCondition } from "./node-records.ts";
import { type Page, type PageRequest, readPage } from "./page.ts";
import { key, ofTenant, type Table, ttlSeconds } from "./table.ts";
import { asUpdate, type WriteItem } from "./transact.ts";

const KEEP_DAYS = 30;

function enrollmentTokenEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "enrollment_token", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        tenant: { type: "string" },
        hash: { type: "string", required: true },
        label: { type: "string", required: true },
        created_at: { type: "string", required: true },
        expires_at: { type: "string", required: true },
        revoked_at: { type: "string" },
        node_id: { type: "string" },
        used_by_node_id: { type: "string" },
        ttl: { type: "number", hidden: true },
      },
      indexes: {
        byId: { pk: key("pk", ["id"]), sk: key("sk", []) },
        all: { index: "gsi1", pk: key("gsi1pk", []), sk: key("gsi1sk", ["created_at", "id"]) },
        ofTenant: ofTenant(["created_at", "id"]),
      },
    },
    { client: table.client, table: table.name },
  );
}

function apiTokenEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "api_token", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        tenant: { type: "string" },
        hash: { type: "string", required: true },
        label: { type: "string", required: true },
        role: { type: ROLES, required: true },
        created_at: { type: "string", required: true },
        expires_at: { type: "string" },
        revoked_at: { type: "string" },
        ttl: { type: "number", hidden: true },
      },
      indexes: {
        byId: { pk: key("pk", ["id"]), sk: key("sk", []) },
        all: { index: "gsi1", pk: key("gsi1pk", []), sk: key("gsi1sk", ["created_at", "id"]) },
        ofTenant: ofTenant(["created_at", "id"]),
      },
    },
    { client: table.client, table: table.name },
  );
}

export interface EnrollmentTokenRecords {
  get(id: string): Promise<EnrollmentTokenRecord | undefined>;
  list(page: PageRequest): Promise<Page<EnrollmentTokenRecord>>;
  listOfTenant(page: PageRequest, tenant: string): Promise<Page<EnrollmentTokenRecord>>;
  create(token: EnrollmentTokenRecord): Promise<void>;
  /** False when it is used, revoked or unknown. */
  revoke(id: string, at: string): Promise<boolean>;
  /** Uses the token up, at most once. */
  useItem(id: string, nodeId: string, at: string): WriteItem;
}

export function openEnrollmentTokenRecords(table: Table): EnrollmentTokenRecords {
  const tokens = enrollmentTokenEntity(table);
  return {
    async get(id) {
      return (await tokens.get({ id }).go({ consistent: true })).data ?? undefined;
    },
    list(page) {
      return readPage("enrollment-tokens", tokens.query.all({}), page);
    },
    listOfTenant(page, tenant) {
      return readPage(`enrollment-tokens@${tenant}`, tokens.query.ofTenant({ tenant }), page);
    },
    async create(token) {
      await tokens.create({ ...token, ttl: ttlSeconds(token.expires_at, KEEP_DAYS) }).go();
    },
    async revoke(id, at) {
      const write = tokens
        .patch({ id })
        .set({ revoked_at: at })
        .where(
          (token, { notExists }) => `${notExists(token.used_by_node_id)} AND ${notExists(token.revoked_at)}`,
        );
      return (await ifCondition(write.go())) !== undefined;
    },
    useItem(id, nodeId, at) {
      const update = tokens.patch({ id }).set({ used_by_node_id: nodeId });
      return asUpdate(
        update
          .where(
            (token, { notExists, gt }) =>
              `${notExists(token.used_by_node_id)} AND ${notExists(token.revoked_at)} AND ${gt(token.expires_at, at)}`,
          )
          .params(),
      );
    },
  };
}

export interface ApiTokenRecords {
  get(id: string): Promise<ApiTokenRecord | undefined>;
  list(page: PageRequest): Promise<Page<ApiTokenRecord>>;
  listOfTenant(page: PageRequest, tenant: string): Promise<Page<ApiTokenRecord>>;
  create(token: ApiTokenRecord): Promise<void>;
  /** False when it is unknown or already revoked. */
  revoke(id: string, at: string): Promise<boolean>;
}

export function openApiTokenRecords(table: Table): ApiTokenRecords {
  const tokens = apiTokenEntity(table);
  return {
    async get(id) {
      return (await tokens.get({ id }).go({ consistent: true })).data ?? undefined;
    },
    list(page) {
      return readPage("api-tokens", tokens.query.all({}), page);
    },
    listOfTenant(page, tenant) {
      return readPage(`api-tokens@${tenant}`, tokens.query.ofTenant({ tenant }), page);
    },
    async create(token) {
      const ttl = token.expires_at === undefined ? {} : { ttl: ttlSeconds(token.expires_at, KEEP_DAYS) };
      await tokens.create({ ...token, ...ttl }).go();
    },
    async revoke(id, at) {
      const write = tokens
        .patch({ id })
        .set({ revoked_at: at })
        .where((token, { notExists }) => notExists(token.revoked_at));
      return (await ifCondition(write.go())) !== undefined;
    },
  };
}
