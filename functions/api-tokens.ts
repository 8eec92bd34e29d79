// Tokens of people and programs that operate the Master.
import { BackupError } from "#shared/errors.ts";
import { API_TOKEN_PREFIX } from "./core/authenticate.ts";
import { tenantOfNew } from "./core/principal.ts";
import type { ApiTokenRecord } from "./core/records.ts";
import { identifyToken, makeToken } from "./core/secret-token.ts";
import { viewApiToken } from "./core/view.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";

export const handler: ApiHandler = serve(
  { records: openRecords },
  {
    async createApiToken({ body, principal, activity }, deps) {
      const now = deps.now();
      const token = makeToken(API_TOKEN_PREFIX, deps.randomBytes(32));
      const expiry =
        body.ttl_seconds === undefined
          ? {}
          : { expires_at: new Date(now.getTime() + body.ttl_seconds * 1000).toISOString() };
      const record: ApiTokenRecord = {
        ...identifyToken(token),
        label: body.label,
        role: body.role,
        ...tenantOfNew(body.tenant, principal),
        created_at: now.toISOString(),
        ...expiry,
      };
      await deps.records.apiTokens.create(record);
      activity.details = { label: record.label, role: record.role, ...tenantOfNew(body.tenant, principal) };
      return { ...viewApiToken(record), token };
    },

    async listApiTokens({ query }, deps) {
      const page = await deps.records.apiTokens.list(query);
      return { ...page, items: page.items.map(viewApiToken) };
    },

    async deleteApiToken({ params }, deps) {
      if (await deps.records.apiTokens.revoke(params.id, deps.now().toISOString())) return undefined;
      const token = await deps.records.apiTokens.get(params.id);
      if (token === undefined)
        throw new BackupError("not_found", { detail: `There is no token ${params.id}.` });
      throw new BackupError("conflict", { detail: "The token is already revoked." });
    },
  },
);
