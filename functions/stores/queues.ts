// One SQS queue per node, made at its enrolment and removed with it.
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  type ListQueuesCommandOutput,
  QueueDoesNotExist,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { JobMessage } from "#shared/contracts/jobs.ts";
import type { ListedQueue } from "../core/drift.ts";
import { type QueueSettings, queueName } from "../core/queue-names.ts";
import { awsClient } from "./aws-client.ts";

export interface Queues {
  /** Idempotent; gives the queue's URL. */
  create(nodeId: string): Promise<string>;
  send(queueUrl: string, message: JobMessage): Promise<void>;
  /** A queue that is gone already is fine. */
  remove(queueUrl: string): Promise<void>;
  /** All queues that are named as nodes' queues are. */
  list(): AsyncIterable<ListedQueue>;
  /** Whether its attributes are those that `create` gives; also when it is gone. */
  isAsWanted(queueUrl: string): Promise<boolean>;
  setRight(queueUrl: string): Promise<void>;
}

const PAGE = 1000;

export function openQueues(settings: QueueSettings): Queues {
  const { stage, deadLetterQueueArn } = settings;
  const client = awsClient(new SQSClient({}));
  const attributes = {
    SqsManagedSseEnabled: "true",
    ReceiveMessageWaitTimeSeconds: "20",
    VisibilityTimeout: "300",
    MessageRetentionPeriod: "172800",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterQueueArn, maxReceiveCount: 10 }),
  };
  return {
    async create(nodeId) {
      const answer = await client.send(
        new CreateQueueCommand({
          QueueName: queueName(settings, nodeId),
          Attributes: attributes,
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
    async *list() {
      let token: string | undefined;
      do {
        const page: ListQueuesCommandOutput = await client.send(
          new ListQueuesCommand({
            QueueNamePrefix: queueName(settings, ""),
            MaxResults: PAGE,
            ...(token === undefined ? {} : { NextToken: token }),
          }),
        );
        for (const url of page.QueueUrls ?? []) yield { name: url.slice(url.lastIndexOf("/") + 1), url };
        token = page.NextToken;
      } while (token !== undefined);
    },
    async isAsWanted(queueUrl) {
      try {
        const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["All"] });
        const found: Readonly<Record<string, string | undefined>> =
          (await client.send(command)).Attributes ?? {};
        return Object.entries(attributes).every(([name, value]) => isSame(found[name], value));
      } catch (error) {
        if (error instanceof QueueDoesNotExist) return true;
        throw error;
      }
    },
    async setRight(queueUrl) {
      await client.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: attributes }));
    },
  };
}

/** Of JSON the fields count and not their order; SQS may write a number as text. */
function isSame(found: string | undefined, wanted: string): boolean {
  if (found === undefined || found === wanted) return found === wanted;
  const fields = (text: string): string => {
    try {
      const value: unknown = JSON.parse(text);
      return Object.entries(Object(value) as Record<string, unknown>)
        .map(String)
        .sort()
        .join();
    } catch {
      return text;
    }
  };
  return wanted.startsWith("{") && fields(found) === fields(wanted);
}
