// How much a site and a node may use, and whether the next backup fits.
import type { QuotaCheck } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import { type Principal, tenantOf } from "./core/principal.ts";
import { checkQuota, withoutNode } from "./core/quota.ts";
import type { SiteRecord } from "./core/records.ts";
import { viewNode, viewSite } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { checkHostOf, checkOwnership, loadSite } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";

export const handler: ApiHandler = serve(
  { records: openRecords },
  {
    async getSiteQuotaStatus({ params, principal }, deps) {
      return quotaOf(await loadSite(params.id, deps), principal, deps);
    },

    async checkSiteQuota({ params, principal }, deps) {
      const site = await loadSite(params.id, deps);
      checkOwnership(site, principal);
      return quotaOf(site, principal, deps);
    },

    async putSiteQuota({ params, body, principal, activity }, deps) {
      activity.details = { ...body };
      await checkHostOf(params.id, principal, "its quota", deps);
      const after = await settleRace(async () => {
        const before = await loadSite(params.id, deps);
        const { quota_bytes: _old, ...rest } = before;
        const site = body.quota_bytes === null ? rest : { ...rest, quota_bytes: body.quota_bytes };
        return (await deps.records.sites.change({ before, after: site })) ? site : undefined;
      });
      return viewSite(after);
    },

    async putNodeQuota({ params, body, activity }, deps) {
      activity.details = { ...body };
      const node = await deps.records.nodes.change(params.id, body);
      if (node === undefined)
        throw new BackupError("not_found", { detail: `There is no node ${params.id}.` });
      return viewNode(node);
    },
  },
);

async function quotaOf(
  site: SiteRecord,
  principal: Principal | undefined,
  deps: Deps<"records">,
): Promise<QuotaCheck> {
  const [node, backups] = await Promise.all([
    deps.records.nodes.hostOf(site),
    deps.records.backups.usedByNode(site.node_id),
  ]);
  const tenant = tenantOf(principal);
  const check = checkQuota({
    siteId: site.id,
    siteQuotaBytes: site.quota_bytes,
    nodeQuotaBytes: node?.quota_bytes,
    backups,
  });
  return tenant === undefined || node?.tenant === tenant ? check : withoutNode(check);
}
