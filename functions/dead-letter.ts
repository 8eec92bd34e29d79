// Takes the messages that failed too often off the shared dead-letter queue and ends their jobs with a reason. A
// message that makes no sense stays that way, so it is logged and dropped; only failures of ours are tried again.
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { JobMessage } from "#shared/contracts/jobs.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { deadJob } from "./core/dead-job.ts";
import type { JobRecord } from "./core/records.ts";
import { buryJob } from "./core/steer-job.ts";
import { type Deps, lazyDeps } from "./deps.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";
import { chore } from "./telemetry/chore.ts";
import type { Observed } from "./telemetry/observed.ts";

const REASON = "The node's queue gave the message up: no runner worked it off in many deliveries.";

export const handler: Observed<SQSEvent, SQSBatchResponse> = chore(
  "dead_letter",
  lazyDeps({ records: openRecords }),
  async (event, deps) => {
    deps.meter.add("DeadLetters", event.Records.length);
    const results = await Promise.all(event.Records.map((record) => bury(record, deps)));
    return { batchItemFailures: results.flatMap((id) => (id === undefined ? [] : [{ itemIdentifier: id }])) };
  },
);

/** The id of the record if it has to be delivered again. */
async function bury(record: SQSRecord, deps: Deps<"records">): Promise<string | undefined> {
  const message = readMessage(record.body);
  if (message === undefined) {
    deps.log.error("dead letter is not a job message", { message_id: record.messageId });
    return undefined;
  }
  try {
    await buryMessage(message, deps);
    return undefined;
  } catch (error) {
    deps.log.error("dead letter not worked off", { message_id: record.messageId, error: error as Error });
    return record.messageId;
  }
}

async function buryMessage(message: JobMessage, deps: Deps<"records">): Promise<void> {
  const jobId =
    message.trigger === "manual"
      ? message.job_id
      : jobIdFor(message.site_id, message.scheduled_time, message.type);
  await settleRace(async () => {
    const now = deps.now();
    const site = await deps.records.sites.get(message.site_id);
    if (site === undefined) return true;
    const known = await deps.records.jobs.get(jobId);
    const job = known ?? deadJob(message, jobId, site, now);
    if (job === undefined || job.site_id !== site.id) return true;
    const step = buryJob(job, known === undefined, site, REASON, now);
    if (!(await deps.records.commit(step))) return undefined;
    const ended = step.jobs.length > 0;
    deps.log.warn("dead letter", { ...correlationOf(job), job_id: jobId, site_id: site.id, ended });
    return true;
  });
}

/** The job's own, in place of the batch's. */
function correlationOf({ correlation_id }: JobRecord): Partial<Pick<JobRecord, "correlation_id">> {
  return correlation_id === undefined ? {} : { correlation_id };
}

function readMessage(body: string): JobMessage | undefined {
  try {
    return JobMessage.safeParse(JSON.parse(body)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
