// The job of a scheduled message that nobody ever claimed: it has to be made so that its failure can be seen.
import type { JobMessage } from "#shared/contracts/jobs.ts";
import { newJob, SCHEDULED_ATTEMPTS } from "./claim-job.ts";
import type { JobRecord, SiteRecord } from "./records.ts";

/** undefined for a manual message: its job is made before it is sent, so without one there is nothing to end. */
export function deadJob(
  message: JobMessage,
  jobId: string,
  site: SiteRecord,
  now: Date,
): JobRecord | undefined {
  if (message.trigger === "manual") return undefined;
  const dueAt = new Date(message.scheduled_time);
  const order = { type: message.type };
  const correlationId = message.execution_id;
  const made = { jobId, site, trigger: "schedule", dueAt, now, order, correlationId } as const;
  return newJob({ ...made, maxAttempts: SCHEDULED_ATTEMPTS });
}
