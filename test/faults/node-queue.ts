// The node's own queue from the outside: messages as EventBridge Scheduler would put them there, the same ones again
// as SQS may deliver them, and how many are left.
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Job, JobMessage } from "#shared/contracts/jobs.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { ProblemError } from "#test/helpers/api-client.ts";
import type { Fleet } from "#test/helpers/fleet.ts";
import { until } from "./hold.ts";

export interface Scheduled {
  readonly jobId: string;
  readonly message: JobMessage;
}

export interface NodeQueue extends Disposable {
  /** Sends it; once more is what a redelivery looks like to a runner. */
  send(message: JobMessage): Promise<void>;
  /** Visible and hidden ones. */
  length(): Promise<number>;
}

export async function nodeQueue({ stack, nodeId }: Fleet): Promise<NodeQueue> {
  const { endpoint } = stack.sqs;
  const client = new SQSClient({ region: stack.region, endpoint, credentials: stack.masterKeys });
  const name = new GetQueueUrlCommand({ QueueName: `backupd-local-node-${nodeId}` });
  const { QueueUrl } = await client.send(name);
  return {
    async send(message) {
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
    },
    async length() {
      const AttributeNames = [
        "ApproximateNumberOfMessages" as const,
        "ApproximateNumberOfMessagesNotVisible" as const,
      ];
      const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
      return Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

let hours = 0;

/** Each for a later time, as a schedule goes; in the future, so that no backup made meanwhile makes it needless. */
export function scheduledMessage(siteId: string, executionId = "first-execution"): Scheduled {
  hours += 1;
  const scheduledTime = `${new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 19)}Z`;
  return {
    jobId: jobIdFor(siteId, scheduledTime),
    message: {
      v: 1,
      type: "backup",
      trigger: "schedule",
      site_id: siteId,
      scheduled_time: scheduledTime,
      execution_id: executionId,
    },
  };
}

/** A scheduled job is not there before its first claim. */
export async function jobOf({ operator }: Fleet, jobId: string): Promise<Job | undefined> {
  try {
    return await operator.call("getJob", { id: jobId });
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return undefined;
    throw error;
  }
}

export async function jobIn(fleet: Fleet, jobId: string, state: Job["state"]): Promise<Job> {
  return await until(`job ${jobId} ${state}`, async () => {
    const job = await jobOf(fleet, jobId);
    return job?.state === state && job;
  });
}
