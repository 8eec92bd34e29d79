// Jobs: operators read them; the node that works on one takes and keeps its lease here.
import type { Claim, ClaimJob } from "#shared/contracts/jobs.ts";
import { BackupError } from "#shared/errors.ts";
import { claimJob } from "./core/claim-job.ts";
import type { Step } from "./core/job-state.ts";
import { isElsewhere, PREVIOUS_BACKUPS_READ, previousBackup } from "./core/previous-backup.ts";
import type { BackupRecord, JobRecord, SiteRecord } from "./core/records.ts";
import { leaseLost, releaseJob, stopJob } from "./core/steer-job.ts";
import { viewJob } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { checkOwnership, loadJob, loadSite, nodeIdOf } from "./http/load.ts";
import { presignSource } from "./http/presign-source.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";
import { openStorages } from "./stores/storages.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, storages: openStorages },
  {
    async listJobs({ query }, deps) {
      const now = deps.now();
      const page = await deps.records.jobs.list(query, query.site_id);
      const items = page.items.map((job) => viewJob(job, now));
      // Filtered after reading, because what a job's state is now may differ from what was last written: a page may
      // be short, or empty, and still have a next one.
      return {
        next_cursor: page.next_cursor,
        items: query.state === undefined ? items : items.filter((job) => job.state === query.state),
      };
    },

    async getJob({ params }, deps) {
      return viewJob(await loadJob(params.id, deps), deps.now());
    },

    async cancelJob({ params, activity }, deps) {
      const job = await settleRace(async () => {
        const found = await loadJob(params.id, deps);
        const site = await deps.records.sites.get(found.site_id);
        if (site === undefined) throw new BackupError("not_found", { detail: "The job's site is gone." });
        const step = stopJob(found, site, deps.now());
        if (!(await deps.records.commit(step))) return undefined;
        if (step.refusal !== undefined) throw step.refusal;
        return step.jobs.at(-1)?.after;
      });
      activity.details = { type: job.type, site_id: job.site_id, state: job.state };
      return { job_id: job.id, state: job.state };
    },

    async claimJob({ params, body, principal }, deps) {
      const { leaseSeconds } = deps.config;
      const { correlationId } = deps;
      return settleRace(async () => {
        const now = deps.now();
        const site = await loadSite(body.site_id, deps);
        checkOwnership(site, principal);
        const job = await deps.records.jobs.get(params.id);
        const activeId = site.active_job_id;
        const activeJob =
          activeId === undefined
            ? undefined
            : activeId === params.id
              ? job
              : await deps.records.jobs.get(activeId);
        const source = await findSource(job, body, site, deps);
        const isOther = source !== undefined && source.site_id !== site.id;
        const sourceSite = isOther ? await deps.records.sites.get(source.site_id) : undefined;
        const known = { job, site, activeJob, source, sourceSite, leaseSeconds, correlationId };
        const decided = claimJob({ jobId: params.id, body, ...known }, now);
        const step = withReading(decided, source, now);
        if (!(await deps.records.commit(step))) return undefined;
        if (step.refusal !== undefined) throw step.refusal;
        const claimed = step.jobs.at(-1)?.after;
        if (claimed?.lease_expires_at === undefined || claimed.s3_path === undefined) {
          throw new Error("a claim without a lease");
        }
        return {
          job: viewJob(claimed, now),
          fencing: claimed.fencing,
          lease_seconds: leaseSeconds,
          lease_expires_at: claimed.lease_expires_at,
          s3_path: claimed.s3_path,
          ...(claimed.provider_id === undefined ? {} : { provider_id: claimed.provider_id }),
          ...(claimed.type === "backup" ? await previousOf(claimed, deps) : {}),
          ...(source === undefined ? {} : { source: await presignSource(source, deps) }),
        };
      });
    },

    async patchJob({ params, body, principal }, deps) {
      const nodeId = nodeIdOf(principal);
      if (body.release !== undefined) {
        const release = { fencing: body.fencing, error: body.release };
        return settleRace(async () => {
          const job = await loadJob(params.id, deps);
          const site = await deps.records.sites.get(job.site_id);
          if (job.node_id !== nodeId || site === undefined) throw new BackupError("not_your_site");
          const step = releaseJob(job, site, release, deps.now());
          if (step.refusal !== undefined) throw step.refusal;
          if (!(await deps.records.commit(step))) return undefined;
          const after = step.jobs.at(-1)?.after ?? job;
          return { state: after.state, cancel_requested: after.cancel_requested, lease_expires_at: null };
        });
      }
      const leaseExpiresAt = new Date(deps.now().getTime() + deps.config.leaseSeconds * 1000).toISOString();
      const renewal = {
        jobId: params.id,
        nodeId,
        fencing: body.fencing,
        leaseExpiresAt,
        progress: body.progress,
      };
      const job = await deps.records.jobs.renew(renewal);
      if (job !== undefined) {
        return { state: job.state, cancel_requested: job.cancel_requested, lease_expires_at: leaseExpiresAt };
      }
      const found = await loadJob(params.id, deps);
      if (found.node_id !== nodeId) throw new BackupError("not_your_site");
      throw leaseLost(found);
    },
  },
);

/** What the job is about; a scheduled proof takes the site's newest backup when it is first claimed. */
async function findSource(
  job: JobRecord | undefined,
  body: ClaimJob,
  site: SiteRecord,
  deps: Deps<"records">,
): Promise<BackupRecord | undefined> {
  const { backups } = deps.records;
  if (job?.source_backup_id !== undefined) return backups.get(job.source_backup_id);
  if (job !== undefined || body.type !== "verify") return undefined;
  return (await backups.newestOfSite(site.node_id, site.id, 1))[0];
}

async function previousOf(
  job: JobRecord,
  deps: Deps<"records">,
): Promise<Pick<Claim, "previous" | "no_previous">> {
  const { backups } = deps.records;
  const newest = await backups.newestOfSite(job.node_id, job.site_id, PREVIOUS_BACKUPS_READ);
  if (isElsewhere(newest, job)) return { no_previous: "storage_changed" };
  const previous = previousBackup(newest);
  return previous === undefined ? {} : { previous };
}

/** Says in the source's record that it is being read; a source that was deleted meanwhile fails the claim. */
function withReading(step: Step, source: BackupRecord | undefined, now: Date): Step {
  if (source === undefined || step.refusal !== undefined) return step;
  return { ...step, mark: { backup: source, set: { last_read_at: now.toISOString() } } };
}
