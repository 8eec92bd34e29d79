// Makes what CloudFormation makes on AWS and the Master needs to be there: the table (its definition read from
// serverless.yml, so that it cannot drift), the bucket, the dead-letter queue and the schedule group. Running it
// again is fine.

import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { ConflictException, CreateScheduleGroupCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { CreateQueueCommand, SetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { readServerlessFile } from "./serverless-file.ts";

export interface Resources {
  readonly tableName: string;
  readonly bucketName: string;
  readonly deadLetterQueueName: string;
  readonly storedQueueName: string;
  readonly scheduleGroup: string;
  /** Instead of the quarter of an hour of infra/stored.yml. */
  readonly storedDelaySeconds?: number | undefined;
}

interface ClientSettings {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface ResourceClients {
  readonly dynamodb: ClientSettings;
  readonly s3: ClientSettings;
  readonly sqs: ClientSettings;
  readonly scheduler: ClientSettings;
}

export async function createResources(resources: Resources, clients: ResourceClients): Promise<void> {
  await Promise.all([
    createTable(resources.tableName, new DynamoDBClient(clients.dynamodb)),
    createBucket(resources.bucketName, new S3Client(clients.s3)),
    createQueue(resources.deadLetterQueueName, new SQSClient(clients.sqs)),
    createStoredQueue(resources, new SQSClient(clients.sqs)),
    createScheduleGroup(resources.scheduleGroup, new SchedulerClient(clients.scheduler)),
  ]);
}

const POLL_MS = 20;
const READY_MS = 10_000;

export async function createTable(name: string, client: DynamoDBClient): Promise<void> {
  const table = (await readServerlessFile()).resources.Resources.Table;
  if (table === undefined) throw new Error("serverless.yml has no resource named Table.");
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, BillingMode } =
    table.Properties as unknown as CreateTableCommandInput;
  try {
    await tolerate(ResourceInUseException, () =>
      client.send(
        new CreateTableCommand({
          TableName: name,
          KeySchema,
          AttributeDefinitions,
          GlobalSecondaryIndexes,
          BillingMode,
        }),
      ),
    );
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
      if (Table?.TableStatus === "ACTIVE") {
        const known = new Set(Table.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName));
        const missing = GlobalSecondaryIndexes?.find(({ IndexName }) => !known.has(IndexName));
        if (missing === undefined) return;
        // The directory is of an older version. DynamoDB adds one index at a time.
        const GlobalSecondaryIndexUpdates = [{ Create: missing }];
        await client.send(
          new UpdateTableCommand({ TableName: name, AttributeDefinitions, GlobalSecondaryIndexUpdates }),
        );
      }
      if (Date.now() > deadline) throw new Error(`The table ${name} is still ${Table?.TableStatus}.`);
      await sleep(POLL_MS);
    }
  } finally {
    client.destroy();
  }
}

async function createBucket(name: string, client: S3Client): Promise<void> {
  try {
    await tolerate(BucketAlreadyOwnedByYou, () => client.send(new CreateBucketCommand({ Bucket: name })));
  } finally {
    client.destroy();
  }
}

async function createQueue(name: string, client: SQSClient, attributes: Attributes = {}): Promise<void> {
  try {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name }));
    if (Object.keys(attributes).length === 0) return;
    // Apart, so that a queue of an earlier start may have had others.
    await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: attributes }));
  } finally {
    client.destroy();
  }
}

type Attributes = Record<string, string>;

async function createStoredQueue(
  { storedQueueName, storedDelaySeconds }: Resources,
  client: SQSClient,
): Promise<void> {
  const queue = (await readServerlessFile()).resources.Resources.StoredQueue;
  if (queue === undefined) throw new Error("serverless.yml has no resource named StoredQueue.");
  const { DelaySeconds, VisibilityTimeout } = queue.Properties;
  await createQueue(storedQueueName, client, {
    DelaySeconds: String(storedDelaySeconds ?? DelaySeconds),
    VisibilityTimeout: String(VisibilityTimeout),
  });
}

async function createScheduleGroup(name: string, client: SchedulerClient): Promise<void> {
  try {
    await tolerate(ConflictException, () => client.send(new CreateScheduleGroupCommand({ Name: name })));
  } finally {
    client.destroy();
  }
}

type ErrorClass = abstract new (...args: never[]) => Error;

async function tolerate(kind: ErrorClass, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof kind)) throw error;
  }
}
