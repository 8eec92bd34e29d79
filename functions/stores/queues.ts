// One SQS queue per node, made at its enrolment and removed with it.
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  QueueDoesNotExist,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { JobMessage } from "#shared/contracts/jobs.ts";

export interface Queues {
  /** Idempotent; gives the queue's URL. */
  create(nodeId: string): Promise<string>;
  send(queueUrl: string, message: JobMessage): Promise<void>;
  /** A queue that is gone already is fine. */
  remove(queueUrl: string): Promise<void>;
  arn(nodeId: string): string;
}

export interface QueueSettings {
  readonly stage: string;
  /** Its region and account are those of all queues. */
  readonly deadLetterQueueArn: string;
}

export function openQueues({ stage, deadLetterQueueArn }: QueueSettings): Queues {
  const client = new SQSClient({});
  const name = (nodeId: string): string => `backupd-${stage}-node-${nodeId}`;
  return {
    async create(nodeId) {
      const answer = await client.send(
        new CreateQueueCommand({
          QueueName: name(nodeId),
          Attributes: {
            SqsManagedSseEnabled: "true",
            ReceiveMessageWaitTimeSeconds: "20",
            VisibilityTimeout: "300",
            MessageRetentionPeriod: "172800",
            RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterQueueArn, maxReceiveCount: 10 }),
          },
          tags: { application: "backupd", stage },
        }),
      );
      if (answer.QueueUrl === undefined) throw new Error("CreateQueue gave no URL");
      return answer.QueueUrl;
    },
    async send(queueUrl, message) {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
    },
    async remove(queueUrl) {
      try {
        await client.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
      } catch (error) {
        if (!(error instanceof QueueDoesNotExist)) throw error;
      }
    },
    arn: (nodeId) => [...deadLetterQueueArn.split(":").slice(0, 5), name(nodeId)].join(":"),
  };
}
