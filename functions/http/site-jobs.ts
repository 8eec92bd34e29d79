// The jobs that a site's record names.
import { effectiveJob, hasEnded } from "../core/job-state.ts";
import type { JobRecord, SiteRecord } from "../core/records.ts";
import type { Deps } from "../deps.ts";

export async function activeJobOf(site: SiteRecord, deps: Deps<"records">): Promise<JobRecord | undefined> {
  return site.active_job_id === undefined ? undefined : deps.records.jobs.get(site.active_job_id);
}

/** As of `now`: the job at work or waiting, and the last backup job that ended. */
export async function jobsOfSite(
  site: SiteRecord,
  now: Date,
  deps: Deps<"records">,
): Promise<{ active: JobRecord | undefined; lastBackup: JobRecord | undefined }> {
  const [named, last] = await Promise.all([
    activeJobOf(site, deps),
    site.last_job_id === undefined ? undefined : deps.records.jobs.get(site.last_job_id),
  ]);
  const current = named === undefined ? undefined : effectiveJob(named, now);
  // Its end may not have been written yet.
  const hasJustEnded = current !== undefined && hasEnded(current.state);
  return {
    active: hasJustEnded ? undefined : current,
    lastBackup: hasJustEnded && current.type === "backup" ? current : last,
  };
}
