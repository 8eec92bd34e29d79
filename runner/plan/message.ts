// What a queue message asks for. A body that this version cannot read is an answer, not an exception: no
// redelivery can make it readable, so the caller logs it and lets it go.
import { CorrelationId } from "#shared/contracts/common.ts";
import { JobMessage, type JobType } from "#shared/contracts/jobs.ts";
import { jobIdFor } from "#shared/job-id.ts";

export interface JobRequest {
  readonly jobId: string;
  readonly siteId: string;
  readonly type: JobType;
  readonly trigger: "manual" | "schedule";
  readonly scheduledTime?: string;
  /** Of the call, or the execution of the schedule, that sent it. */
  readonly correlationId: string;
}

export type ParsedMessage =
  | { readonly ok: true; readonly request: JobRequest }
  | { readonly ok: false; readonly reason: string };

export function parseMessage(body: string): ParsedMessage {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, reason: "the body is not JSON" };
  }
  const parsed = JobMessage.safeParse(json);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      (issue) => `${issue.path.join(".") || "message"}: ${issue.message}`,
    );
    return { ok: false, reason: faults.join("; ").slice(0, 500) };
  }
  const message = parsed.data;
  if (message.trigger === "manual") {
    const { job_id: jobId, site_id: siteId, type } = message;
    const correlationId = fitId(message.correlation_id, jobId);
    return { ok: true, request: { jobId, siteId, type, trigger: "manual", correlationId } };
  }
  const { site_id: siteId, scheduled_time: scheduledTime, type } = message;
  const jobId = jobIdFor(siteId, scheduledTime, type);
  const correlationId = fitId(message.execution_id, jobId);
  return { ok: true, request: { jobId, siteId, type, trigger: "schedule", scheduledTime, correlationId } };
}

/** What is not fit for a header and for logs is passed over. */
function fitId(given: string | undefined, jobId: string): string {
  return CorrelationId.safeParse(given).data ?? jobId;
}
