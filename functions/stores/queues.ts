// One SQS queue per node, made at its enrolment and removed with it.
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  QueueDoesNotExist,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { JobMessage } from "#shared/contracts/jobs.ts";
import { type QueueSettings, queueName } from "../core/queue-names.ts";
import { awsClient } from "./aws-client.ts";

export interface Queues {
  /** Idempotent; gives the queue's URL. */
  create(nodeId: string): Promise<string>;
  send(queueUrl: string, message: JobMessage): Promise<void>;
  /** A queue that is gone already is fine. */
  remove(queueUrl: string): Promise<void>;
}

export function openQueues(settings: QueueSettings): Queues {
  const { stage, deadLetterQueueArn } = settings;
  const client = awsClient(new SQSClient({}));
  return {
    async create(nodeId) {
      const answer = await client.send(
        new CreateQueueCommand({
          QueueName: queueName(settings, nodeId),
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
  };
}
