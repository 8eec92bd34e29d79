// A site's retention policy, and what it would do: nothing is deleted here.
import type { Retention, RetentionPreview } from "#shared/contracts/retention.ts";
import { Retention as RetentionSchema } from "#shared/contracts/retention.ts";
import { BackupError } from "#shared/errors.ts";
import type { BackupRecord, SiteRecord } from "./core/records.ts";
import type { Judged } from "./core/retention.ts";
import { viewSite } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { loadSite } from "./http/load.ts";
import { planSiteRetention } from "./http/plan-retention.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";

export const handler: ApiHandler = serve(
  { records: openRecords },
  {
    async putSiteRetention({ params, body, activity }, deps) {
      activity.details = { ...body };
      return viewSite(await changeRetention(params.id, body, deps));
    },

    async deleteSiteRetention({ params }, deps) {
      await changeRetention(params.id, undefined, deps);
      return undefined;
    },

    async previewSiteRetention({ params, query }, deps) {
      const site = await loadSite(params.id, deps);
      const policy = policyOf(query, site);
      const { plan, alarms } = await planSiteRetention(site, policy, deps);
      const stopped = site.retention_stop?.alarms ?? [];
      const known = new Set(alarms.map(({ code, backup_id: id }) => `${code}/${id}`));
      return {
        site_id: site.id,
        policy,
        alarms: [...stopped.filter(({ code, backup_id: id }) => !known.has(`${code}/${id}`)), ...alarms],
        keep: plan.keep.map(viewJudged),
        remove: plan.remove.map(viewJudged),
        freed_bytes: plan.remove.reduce((sum, { backup }) => sum + backup.size_bytes, 0),
      };
    },
  },
);

/** Saving a policy says that its operator has looked at what stopped it. */
async function changeRetention(
  siteId: string,
  retention: Retention | undefined,
  deps: Deps<"records">,
): Promise<SiteRecord> {
  return settleRace(async () => {
    const before = await loadSite(siteId, deps);
    const { retention: _old, retention_stop: _stop, retention_accepted_at: _accepted, ...rest } = before;
    const accepted = { retention_accepted_at: deps.now().toISOString() };
    const after = retention === undefined ? rest : { ...rest, ...accepted, retention };
    return (await deps.records.sites.change({ before, after })) ? after : undefined;
  });
}

function policyOf(query: Readonly<Record<string, number | undefined>>, site: SiteRecord): Retention {
  if (Object.keys(query).length === 0) {
    if (site.retention !== undefined) return site.retention;
    throw new BackupError("not_found", {
      detail: "The site has no retention policy.",
      hint: "Try one in the query (?keep_daily=7), or save one with PUT /api/v1/sites/{id}/retention.",
    });
  }
  const parsed = RetentionSchema.safeParse(query);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  throw new BackupError("invalid_request", { detail: issues[0]?.message ?? "no policy", data: { issues } });
}

function viewJudged({ backup, reasons }: Judged<BackupRecord>): RetentionPreview["keep"][number] {
  const { id, created_at, size_bytes } = backup;
  return { backup_id: id, created_at, size_bytes, reasons: [...reasons] };
}
