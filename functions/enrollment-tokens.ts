// One-time tokens that let a new node in.
import { BackupError } from "#shared/errors.ts";
import { tenantOfNew } from "./core/principal.ts";
import type { EnrollmentTokenRecord } from "./core/records.ts";
import { identifyToken, makeToken } from "./core/secret-token.ts";
import { viewEnrollmentToken } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { loadNode } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";

/** A node that the caller may see; its tenant stays its tenant. */
async function ofNode(
  id: string,
  deps: Deps<"records">,
): Promise<Pick<EnrollmentTokenRecord, "node_id" | "tenant">> {
  const { tenant } = await loadNode(id, deps);
  return { node_id: id, ...(tenant === undefined ? {} : { tenant }) };
}

export const handler: ApiHandler = serve(
  { records: openRecords },
  {
    async createEnrollmentToken({ body, principal, activity }, deps) {
      const now = deps.now();
      const token = makeToken("bkpe_", deps.randomBytes(32));
      const record: EnrollmentTokenRecord = {
        ...identifyToken(token),
        label: body.label,
        ...(body.node_id === undefined
          ? tenantOfNew(body.tenant, principal)
          : await ofNode(body.node_id, deps)),
        created_at: now.toISOString(),
        expires_at: new Date(now.getTime() + body.ttl_seconds * 1000).toISOString(),
      };
      await deps.records.enrollmentTokens.create(record);
      activity.details = { label: record.label, expires_at: record.expires_at };
      const master = deps.config.publicUrl || "<this Master's URL>";
      return {
        ...viewEnrollmentToken(record, now),
        token,
        command: `BACKUPD_TOKEN=${token} backupd enroll --master ${master}`,
      };
    },

    async listEnrollmentTokens({ query }, deps) {
      const page = await deps.records.enrollmentTokens.list(query);
      return { ...page, items: page.items.map((token) => viewEnrollmentToken(token, deps.now())) };
    },

    async deleteEnrollmentToken({ params }, deps) {
      if (await deps.records.enrollmentTokens.revoke(params.id, deps.now().toISOString())) return undefined;
      const token = await deps.records.enrollmentTokens.get(params.id);
      if (token === undefined)
        throw new BackupError("not_found", { detail: `There is no token ${params.id}.` });
      const { state } = viewEnrollmentToken(token, deps.now());
      throw new BackupError("conflict", { detail: `The token is already ${state}.` });
    },
  },
);
