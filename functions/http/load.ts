// Reads that end in 404 or 403 when the thing is not there for this caller.
import { BackupError } from "#shared/errors.ts";
import { checkHost, type Principal, tenantOf } from "../core/principal.ts";
import type { BackupRecord, JobRecord, NodeRecord, SiteRecord } from "../core/records.ts";
import type { Deps } from "../deps.ts";

/** A site that is still protected. */
export async function loadSite(id: string, deps: Deps<"records">): Promise<SiteRecord> {
  const site = await deps.records.sites.get(id);
  if (site?.life !== "live") throw new BackupError("not_found", { detail: `There is no site ${id}.` });
  return site;
}

export async function loadNode(id: string, deps: Deps<"records">): Promise<NodeRecord> {
  const node = await deps.records.nodes.get(id);
  if (node?.life !== "live") throw new BackupError("not_found", { detail: `There is no node ${id}.` });
  return node;
}

/** The node of a site, to work with: it may be shared, and then is not there for the tenant of the site. */
export async function loadHost(site: SiteRecord, deps: Deps<"records">): Promise<NodeRecord> {
  const node = await deps.records.nodes.hostOf(site);
  if (node?.life !== "live") throw new BackupError("not_found", { detail: "The site's node is gone." });
  return node;
}

/** Throws for a tenant's operator where the site shares its node: `what` could reach its neighbours there. */
export async function checkHostOf(
  siteId: string,
  principal: Principal | undefined,
  what: string,
  deps: Deps<"records">,
): Promise<void> {
  // Operators of the whole fleet are spared the reads.
  if (tenantOf(principal) === undefined) return;
  checkHost(await loadHost(await loadSite(siteId, deps), deps), principal, what);
}

export async function loadJob(id: string, deps: Deps<"records">): Promise<JobRecord> {
  const job = await deps.records.jobs.get(id);
  if (job === undefined) throw new BackupError("not_found", { detail: `There is no job ${id}.` });
  return job;
}

export async function loadBackup(id: string, deps: Deps<"records">): Promise<BackupRecord> {
  const [backup, deleted] = await Promise.all([
    deps.records.backups.get(id),
    deps.records.deletedBackups.get(id),
  ]);
  if (deleted !== undefined) {
    throw new BackupError("not_found", {
      detail: `The backup was deleted at ${deleted.deleted_at} by ${deleted.by}: ${deleted.why}`,
      hint: "In a bucket that keeps versions, an administrator can bring the object back for a while.",
    });
  }
  if (backup === undefined) throw new BackupError("not_found", { detail: `There is no backup ${id}.` });
  return backup;
}

/** Throws `not_your_site` unless the calling node has the site. */
export function checkOwnership(site: SiteRecord, principal: Principal | undefined): void {
  if (principal?.kind !== "node" || site.node_id !== principal.id) throw new BackupError("not_your_site");
}

export function nodeIdOf(principal: Principal | undefined): string {
  if (principal?.kind !== "node") throw new BackupError("unauthenticated");
  return principal.id;
}
