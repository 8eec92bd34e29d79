// The operator's hand on a site's backup: start it, stop it, see how it goes.
import { BackupError } from "#shared/errors.ts";
import { effectiveJob, endJob, endStep, errorReport, hasEnded } from "./core/job-state.ts";
import type { JobRecord, SiteRecord } from "./core/records.ts";
import { startJob, stopJob } from "./core/steer-job.ts";
import { viewJob } from "./core/view.ts";
import type { Deps } from "./deps.ts";
import { loadNode, loadSite } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { openQueues } from "./stores/queues.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";

export const handler: ApiHandler = serve(
  { records: openRecords, queues: openQueues },
  {
    async startBackup({ params, body, activity }, deps) {
      const jobId = deps.randomUuid();
      const node = await loadNode((await loadSite(params.id, deps)).node_id, deps);
      if (node.state === "disabled") throw new BackupError("node_disabled");
      const { site, job } = await settleRace(async () => {
        const found = await loadSite(params.id, deps);
        const step = startJob(jobId, found, await activeJobOf(found, deps), deps.now(), body);
        if (step.refusal !== undefined) throw step.refusal;
        const last = step.jobs.at(-1)?.after;
        return last !== undefined && (await deps.records.commit(step))
          ? { site: found, job: last }
          : undefined;
      });
      try {
        const message = { v: 1, type: "backup", trigger: "manual", site_id: site.id, job_id: jobId } as const;
        await deps.queues.send(node.queue_url, message);
      } catch (cause) {
        await failUnsent(jobId, deps);
        throw new BackupError("queue_unreachable", {
          detail: "The node's queue did not take the job; it has been ended as failed.",
          hint: "Try again; if it stays, check that the node's queue exists.",
          cause,
        });
      }
      activity.target = { kind: "job", id: jobId };
      activity.details = { site_id: site.id, site_name: site.name, ...(body.full ? { full: true } : {}) };
      return { job_id: jobId, state: job.state };
    },

    async stopBackup({ params, activity }, deps) {
      const job = await settleRace(async () => {
        const now = deps.now();
        const site = await loadSite(params.id, deps);
        const step = stopJob(await activeJobOf(site, deps), site, now);
        if (!(await deps.records.commit(step))) return undefined;
        if (step.refusal !== undefined) throw step.refusal;
        return step.jobs.at(-1)?.after;
      });
      activity.target = { kind: "job", id: job.id };
      activity.details = { site_id: params.id, state: job.state };
      return { job_id: job.id, state: job.state };
    },

    async getBackupStatus({ params }, deps) {
      const now = deps.now();
      const site = await loadSite(params.id, deps);
      const [active, last] = await Promise.all([
        activeJobOf(site, deps),
        site.last_job_id === undefined ? undefined : deps.records.jobs.get(site.last_job_id),
      ]);
      const isActive = active !== undefined && !hasEnded(effectiveJob(active, now).state);
      const ended = active !== undefined && !isActive ? active : last;
      return {
        site_id: site.id,
        active: isActive ? viewJob(active, now) : null,
        last: ended === undefined ? null : viewJob(ended, now),
      };
    },
  },
);

async function activeJobOf(
  site: SiteRecord,
  deps: Deps<"records" | "queues">,
): Promise<JobRecord | undefined> {
  return site.active_job_id === undefined ? undefined : deps.records.jobs.get(site.active_job_id);
}

/** A job whose message never left must not wait for its deadline. */
async function failUnsent(jobId: string, deps: Deps<"records" | "queues">): Promise<void> {
  await settleRace(async () => {
    const now = deps.now();
    const job = await deps.records.jobs.get(jobId);
    const site = job === undefined ? undefined : await deps.records.sites.get(job.site_id);
    // The queue may have taken the message although its answer was lost: then a runner has the job, and keeps it.
    if (job === undefined || site === undefined || job.state !== "queued") return true;
    const after = endJob(job, "failed", now, { error: errorReport("queue_unreachable") });
    return (await deps.records.commit(endStep({ before: job, after }, site))) ? true : undefined;
  });
}
