// Has the jobs, backups and alerts of a site follow it to its tenant. They carry the tenant for the lists of that tenant;
// whether somebody may see one of them is asked of the site, so nothing is shown to both while this is under way.
import { hasEnded } from "../core/job-state.ts";
import type { JobRecord, SiteRecord } from "../core/records.ts";
import type { Deps } from "../deps.ts";
import { settleRace } from "../stores/settle-race.ts";

const AT_ONCE = 16;

export async function moveRecords(site: SiteRecord, deps: Deps<"records">): Promise<void> {
  const { records } = deps;
  const { tenant } = site;
  const isLeft = (record: { readonly tenant?: string }): boolean => record.tenant !== tenant;
  for await (const jobs of records.jobs.ofSite(site.id)) {
    const wanted = jobs.filter((job) => isLeft(job) || job.source_backup_id !== undefined);
    await inTurns(wanted, (job) => moveJob(job.id, site, deps));
  }
  const backups = await records.backups.ofSite(site.node_id, site.id);
  await inTurns(backups.filter(isLeft), (backup) => records.backups.changeTenant(backup, tenant));
  const alerts = (await records.alerts.all()).filter(({ target }) => target.id === site.id);
  await inTurns(alerts.filter(isLeft), ({ tenant: _old, ...alert }) =>
    records.alerts.save(tenant === undefined ? alert : { ...alert, tenant }),
  );
}

async function moveJob(id: string, site: SiteRecord, deps: Deps<"records">): Promise<void> {
  await settleRace(async () => {
    const before = await deps.records.jobs.get(id);
    if (before === undefined) return true;
    const hides = await readsAnothers(before, site, deps);
    if (!hides && before.tenant === site.tenant) return true;
    const { tenant: _old, ...rest } = before;
    const kept = hides ? withoutSource(rest) : rest;
    const after = site.tenant === undefined ? kept : { ...kept, tenant: site.tenant };
    return (await deps.records.commit({ jobs: [{ before, after }] })) ? true : undefined;
  });
}

/** A restore of what is now another tenant's: which backup it was stays behind, with it. A claim still has to know it. */
async function readsAnothers(job: JobRecord, site: SiteRecord, deps: Deps<"records">): Promise<boolean> {
  const { source_backup_id: id } = job;
  if (id === undefined || !hasEnded(job.state)) return false;
  const { backups, deletedBackups, sites } = deps.records;
  const source = (await backups.get(id)) ?? (await deletedBackups.get(id))?.backup;
  const from = source === undefined ? undefined : await sites.get(source.site_id);
  return from === undefined || from.tenant !== site.tenant;
}

function withoutSource({ source_backup_id: _source, ...job }: JobRecord): JobRecord {
  return job;
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
  }
}
