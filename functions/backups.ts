// Backups: the runner's report makes them, operators list and download them.
import type { BackupReport, SuccessReport } from "#shared/contracts/backups.ts";
import { BackupError } from "#shared/errors.ts";
import { objectKey } from "#shared/object-key.ts";
import type { Step } from "./core/job-state.ts";
import { completeAdopted, isLateReport } from "./core/late-report.ts";
import type { JobRecord, SiteRecord } from "./core/records.ts";
import { checkReportedPath, isRepeat, reportJob } from "./core/report-job.ts";
import { archiveName } from "./core/source-backup.ts";
import { viewBackup } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { checkOwnership, loadBackup, loadJob } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";
import { openStorages } from "./stores/storages.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, storages: openStorages },
  {
    async reportBackup({ body, principal }, deps) {
      return settleRace(async () => {
        const job = await loadJob(body.job_id, deps);
        const site = await loadSiteOf(job, deps);
        checkOwnership(site, principal);
        if (body.status === "success") checkReportedPath(body, site);
        if (isRepeat(job, body)) return answerOf(job);
        const step = (await lateReport(job, body, deps)) ?? reportJob(job, site, body, deps.now());
        if (step.refusal?.code === "lease_lost" && body.status === "success") {
          await removeOrphan(job, site, body, deps);
        }
        if (step.refusal !== undefined) throw step.refusal;
        if (body.status === "success") await checkObject(job, body, deps);
        if (!(await deps.records.commit(step))) return undefined;
        return answerOf(step.jobs.at(-1)?.after ?? job);
      });
    },

    async listBackups({ query }, deps) {
      const { backups, sites } = deps.records;
      if (query.site_id === undefined) {
        const page = await backups.list(query);
        return { ...page, items: page.items.map(viewBackup) };
      }
      const site = await sites.get(query.site_id);
      if (site === undefined)
        throw new BackupError("not_found", { detail: `There is no site ${query.site_id}.` });
      const page = await backups.listOfSite(query, site);
      return { ...page, items: page.items.map(viewBackup) };
    },

    async getBackup({ params }, deps) {
      return viewBackup(await loadBackup(params.id, deps));
    },

    async downloadBackup({ params, query, activity }, deps) {
      const backup = await loadBackup(params.id, deps);
      const fileName = archiveName(backup);
      const expiresAt = new Date(deps.now().getTime() + query.expires_seconds * 1000);
      const objects = await deps.storages.at(backup.provider_id);
      const url = await objects.presignGet(objectKey(backup.s3_path), fileName, query.expires_seconds);
      activity.details = { site_id: backup.site_id, expires_at: expiresAt.toISOString() };
      return {
        backup_id: backup.id,
        url,
        expires_at: expiresAt.toISOString(),
        file_name: fileName,
        size_bytes: backup.size_bytes,
      };
    },
  },
);

async function lateReport(
  job: JobRecord,
  report: BackupReport,
  deps: Deps<"records" | "storages">,
): Promise<Step | undefined> {
  if (report.status !== "success" || !isLateReport(job, report)) return undefined;
  const backup = job.backup_id === undefined ? undefined : await deps.records.backups.get(job.backup_id);
  return completeAdopted(job, backup, report);
}

/** Also of a site that was removed meanwhile: what is in the bucket has to be in the records. */
async function loadSiteOf(job: JobRecord, deps: Deps<"records" | "storages">): Promise<SiteRecord> {
  const site = await deps.records.sites.get(job.site_id);
  if (site === undefined) throw new BackupError("not_found", { detail: `There is no site ${job.site_id}.` });
  return site;
}

async function checkObject(
  job: JobRecord,
  report: SuccessReport,
  deps: Deps<"records" | "storages">,
): Promise<void> {
  const objects = await deps.storages.at(job.provider_id);
  const sizeBytes = await objects.size(objectKey(report.s3_path));
  if (sizeBytes === report.size_bytes) return;
  const found = sizeBytes === undefined ? "there is no such object" : `the object has ${sizeBytes} bytes`;
  throw new BackupError("object_missing", { detail: `Reported ${report.size_bytes} bytes; ${found}.` });
}

/**
 * An archive of a runner that lost its lease. A path is given to another claim only to go on with the upload that is
 * open there, so what lies at the path of an earlier claim will never be recorded: nobody will ask for it.
 */
async function removeOrphan(
  job: JobRecord,
  site: SiteRecord,
  report: SuccessReport,
  deps: Deps<"records" | "storages">,
): Promise<void> {
  if (report.s3_path === job.s3_path) return;
  // Another job may be going on with the upload that this path was first handed out for.
  const active =
    site.active_job_id === undefined ? undefined : await deps.records.jobs.get(site.active_job_id);
  if (active?.s3_path === report.s3_path) return;
  if (await deps.records.backups.isPathUsed(site.node_id, site.id, report.s3_path)) return;
  deps.log.warn("removing an orphaned archive", {
    job_id: job.id,
    site_id: site.id,
    s3_path: report.s3_path,
  });
  const objects = await deps.storages.at(job.provider_id);
  await objects.remove(objectKey(report.s3_path));
}

function answerOf(job: JobRecord): { job_id: string; state: string; backup_id: string | null } {
  return { job_id: job.id, state: job.state, backup_id: job.backup_id ?? null };
}
