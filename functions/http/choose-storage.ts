// A site's choice of where its archives go: the fleet owner's to make, never in the middle of a backup, and never of a
// provider that is being deleted at the same moment.
import { DEFAULT_PROVIDER, type ProviderId } from "#shared/contracts/storage.ts";
import { BackupError } from "#shared/errors.ts";
import { effectiveJob } from "../core/job-state.ts";
import { checkAccess, type Principal } from "../core/principal.ts";
import type { SiteRecord } from "../core/records.ts";
import { invalid } from "../core/report-job.ts";
import type { Deps } from "../deps.ts";
import type { WriteItem } from "../stores/transact.ts";

/** @throws BackupError unless the caller may decide where a site's archives go. */
export function checkMayChoose(principal: Principal | undefined): void {
  checkAccess({ access: "admin", fleetWide: true }, principal);
}

export function withStorage(site: SiteRecord, id: ProviderId): SiteRecord {
  const { storage_provider_id: _before, ...rest } = site;
  return id === DEFAULT_PROVIDER ? rest : { ...rest, storage_provider_id: id };
}

/** What goes into the transaction that writes `after`. @throws BackupError `invalid_request`, `backup_in_progress`. */
export async function storageChoice(
  before: SiteRecord | undefined,
  after: SiteRecord,
  deps: Deps<"records">,
): Promise<WriteItem[]> {
  const { storage_provider_id: id } = after;
  if (id === before?.storage_provider_id) return [];
  if (before !== undefined) await checkNoBackupRuns(before, deps);
  if (id === undefined) return [];
  if ((await deps.records.providers.get(id)) === undefined) {
    throw invalid("storage_provider_id", "is no storage provider");
  }
  return deps.records.providers.chooseItems(id, after);
}

/** A running backup gets new keys of its storage as long as its site uses that. */
async function checkNoBackupRuns({ active_job_id: id }: SiteRecord, deps: Deps<"records">): Promise<void> {
  const job = id === undefined ? undefined : await deps.records.jobs.get(id);
  if (job?.type !== "backup" || effectiveJob(job, deps.now()).state !== "running") return;
  throw new BackupError("backup_in_progress", {
    detail: "A backup is running, and its archive goes to the site's present storage.",
    data: { job_id: job.id },
  });
}
