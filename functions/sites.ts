// Sites: what is protected, where it lies and when it is backed up.
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import { BackupError } from "#shared/errors.ts";
import { checkBoot } from "./core/check-boot.ts";
import { tenantOf } from "./core/principal.ts";
import type { NodeRecord, SiteRecord } from "./core/records.ts";
import { stopJob } from "./core/steer-job.ts";
import { viewSite } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { checkMayChoose, storageChoice, withStorage } from "./http/choose-storage.ts";
import { checkHostOf, loadHost, loadNode, loadSite } from "./http/load.ts";
import { moveRecords } from "./http/move-records.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { checkSchedule, putSchedules } from "./http/site-schedules.ts";
import { openRecords } from "./stores/records.ts";
import { openSchedules } from "./stores/schedules.ts";
import { settleRace } from "./stores/settle-race.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, schedules: openSchedules },
  {
    async createSite({ body, principal, activity }, deps) {
      const { schedule, quota_bytes: quotaBytes, tenant: asked, ...more } = body;
      const { storage_provider_id: storageId, ...rest } = more;
      if (storageId !== DEFAULT_PROVIDER) checkMayChoose(principal);
      if (schedule !== undefined) checkSchedule(schedule, "schedule.");
      const node = await loadNode(body.node_id, deps);
      checkTenantOfNode(asked ?? node.tenant, node);
      const tenant = node.tenant ?? asked;
      if (node.state !== "active") throw new BackupError("conflict", { detail: "The node is disabled." });
      const made: SiteRecord = {
        ...rest,
        id: deps.randomUuid(),
        version: 1,
        life: "live",
        ...(tenant === undefined ? {} : { tenant }),
        state: "active",
        created_at: deps.now().toISOString(),
        ...(schedule === undefined ? {} : { schedule }),
        ...(quotaBytes === null ? {} : { quota_bytes: quotaBytes }),
      };
      const site = withStorage(made, storageId);
      await settleRace(async () => {
        await checkFree(site, deps);
        if (await deps.records.sites.create(site, await storageChoice(undefined, site, deps))) return true;
        const nodeNow = await loadNode(body.node_id, deps);
        if (nodeNow.state !== "active")
          throw new BackupError("conflict", { detail: "The node is disabled." });
        checkTenantOfNode(tenant, nodeNow);
        return undefined;
      });
      if (schedule !== undefined) await scheduleNew(site, deps);
      activity.details = { name: site.name, node_id: site.node_id, path: site.path };
      return viewSite(site);
    },

    async listSites({ query }, deps) {
      const page = await deps.records.sites.list(query, query.node_id);
      return { ...page, items: page.items.map(viewSite) };
    },

    async getSite({ params }, deps) {
      return viewSite(await loadSite(params.id, deps));
    },

    async patchSite({ params, body, principal, activity }, deps) {
      activity.details = { ...body };
      const { name, path, state, exclude, tenant, storage_provider_id: storageId } = body;
      if (storageId !== undefined) checkMayChoose(principal);
      if (tenant !== undefined && tenantOf(principal) !== undefined)
        throw new BackupError("fleet_owner_only");
      if (name !== undefined || path !== undefined) {
        await checkHostOf(params.id, principal, "its name and path", deps);
      }
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(path === undefined ? {} : { path }),
        ...(state === undefined ? {} : { state }),
        ...(exclude === undefined ? {} : { exclude }),
      };
      const now = deps.now().toISOString();
      const changed = (before: SiteRecord): SiteRecord => {
        const here = storageId === undefined ? before : withStorage(before, storageId);
        return tenant === undefined ? { ...here, ...change } : moved({ ...here, ...change }, tenant, now);
      };
      const site = await changeSite(params.id, changed, deps);
      if (state !== undefined) await putSchedules(site, deps);
      // Also when it is there already: the same call again is the way on after one that was cut short.
      if (tenant !== undefined) await moveRecords(site, deps);
      return viewSite(site);
    },

    async deleteSite({ params, activity }, deps) {
      await settleRace(async () => {
        const site = await loadSite(params.id, deps);
        // The schedule goes first: should a later write fail, the same call can be made again.
        await deps.schedules.remove(site.id);
        if (!(await stopActiveJob(site, deps))) return undefined;
        activity.details = { name: site.name, node_id: site.node_id };
        const isDone = await deps.records.sites.remove({ before: site, after: { ...site, life: "removed" } });
        return isDone ? true : undefined;
      });
      return undefined;
    },

    async putSiteProof({ params, body, principal, activity }, deps) {
      checkSchedule(body, "");
      checkBoot(body);
      if (body.boot) await checkHostOf(params.id, principal, "running its code (`boot`)", deps);
      const site = await changeSite(params.id, (before) => ({ ...before, proof: body }), deps);
      await putSchedules(site, deps);
      activity.details = { ...body };
      return viewSite(site);
    },

    async putSiteSchedule({ params, body, activity }, deps) {
      checkSchedule(body, "");
      const site = await changeSite(params.id, (before) => ({ ...before, schedule: body }), deps);
      await putSchedules(site, deps);
      activity.details = { ...body };
      return viewSite(site);
    },
  },
);

/** A site that cannot be scheduled is taken back, so that the same call can be made again. */
async function scheduleNew(site: SiteRecord, deps: Deps<"records" | "schedules">): Promise<void> {
  try {
    await putSchedules(site, deps);
  } catch (error) {
    await deps.records.sites.remove({ before: site, after: { ...site, life: "removed" } });
    throw error;
  }
}

/** A queued job ends, a running one is asked to stop. False when the site has to be read again. */
async function stopActiveJob(site: SiteRecord, deps: Deps<"records">): Promise<boolean> {
  if (site.active_job_id === undefined) return true;
  const step = stopJob(await deps.records.jobs.get(site.active_job_id), site, deps.now());
  return (await deps.records.commit(step)) && step.site === undefined;
}

async function changeSite(
  id: string,
  change: (site: SiteRecord) => SiteRecord,
  deps: Deps<"records" | "schedules">,
): Promise<SiteRecord> {
  return settleRace(async () => {
    const before = await loadSite(id, deps);
    const after = change(before);
    if (after.tenant !== before.tenant) checkTenantOfNode(after.tenant, await loadHost(before, deps));
    await checkFree(after, deps);
    const choice = await storageChoice(before, after, deps);
    return (await deps.records.sites.change({ before, after }, choice)) ? after : undefined;
  });
}

/** The site in its new tenant; its jobs and backups follow by `moveRecords`. */
function moved(site: SiteRecord, tenant: string | null, at: string): SiteRecord {
  const { tenant: _old, ...rest } = site;
  return { ...rest, ...(tenant === null ? {} : { tenant }), tenant_changed_at: at };
}

/** A node that has a tenant has no other's sites. */
function checkTenantOfNode(tenant: string | undefined, node: NodeRecord): void {
  if (node.tenant === undefined || node.tenant === tenant) return;
  throw new BackupError("conflict", {
    detail: `The node is of the tenant ${node.tenant}, and so are all its sites.`,
    hint: 'Leave the tenant out, or let the node be shared with PATCH /api/v1/nodes/{id} {"tenant":null}.',
  });
}

async function checkFree(site: SiteRecord, deps: Deps<"records" | "schedules">): Promise<void> {
  const taken = await deps.records.sites.taken(site);
  if (taken === undefined) return;
  throw new BackupError("conflict", { detail: `Another site of the node has the ${taken} ${site[taken]}.` });
}
