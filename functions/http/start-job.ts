// Starts a job by hand: its record first, then the message to its node's queue; a job whose message cannot be sent
// ends at once as failed.
import { BackupError } from "#shared/errors.ts";
import type { JobOrder } from "../core/claim-job.ts";
import { endJob, endStep, errorReport } from "../core/job-state.ts";
import type { JobRecord } from "../core/records.ts";
import { startJob } from "../core/steer-job.ts";
import type { Deps } from "../deps.ts";
import { settleRace } from "../stores/settle-race.ts";
import { loadHost, loadSite } from "./load.ts";
import type { ActivityNote } from "./serve.ts";
import { activeJobOf } from "./site-jobs.ts";

export async function startManualJob(
  siteId: string,
  order: JobOrder,
  activity: ActivityNote,
  deps: Deps<"records" | "queues">,
): Promise<{ job_id: string; state: JobRecord["state"] }> {
  const jobId = deps.randomUuid();
  const node = await loadHost(await loadSite(siteId, deps), deps);
  if (node.state === "disabled") throw new BackupError("node_disabled");
  const { site, job } = await settleRace(async () => {
    const found = await loadSite(siteId, deps);
    const active = await activeJobOf(found, deps);
    const step = startJob(jobId, found, active, deps.now(), order, deps.correlationId);
    if (step.refusal !== undefined) throw step.refusal;
    const last = step.jobs.at(-1)?.after;
    return last !== undefined && (await deps.records.commit(step)) ? { site: found, job: last } : undefined;
  });
  try {
    const known = { site_id: site.id, job_id: jobId, correlation_id: deps.correlationId };
    const message = { v: 1, type: job.type, trigger: "manual", ...known } as const;
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
  activity.details = { site_id: site.id, site_name: site.name };
  return { job_id: jobId, state: job.state };
}

/** A job whose message never left must not wait for its deadline. */
async function failUnsent(jobId: string, deps: Deps<"records">): Promise<void> {
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
