// What the Master needs of SQS: a queue per node with the right settings, made and removed as often as asked.
import { randomUUID } from "node:crypto";
import { GetQueueAttributesCommand, QueueDoesNotExist, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { queueArn } from "#functions/core/queue-names.ts";
import { openQueues, type Queues } from "#functions/stores/queues.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { hostConfig } from "#test/helpers/stores.ts";

let master: Master;
let queues: Queues;
beforeAll(async () => {
  master = await startMaster();
  queues = openQueues(hostConfig());
});
afterAll(() => master.close());

test("a queue polls long, hides for five minutes and gives up after ten deliveries", async () => {
  const nodeId = randomUUID();
  const url = await queues.create(nodeId);
  expect(await queues.create(nodeId)).toBe(url);
  const query = { QueueUrl: url, AttributeNames: ["All" as const] };
  const { Attributes = {} } = await master.sqs.send(new GetQueueAttributesCommand(query));
  expect(Attributes).toMatchObject({
    QueueArn: queueArn(hostConfig(), nodeId),
    ReceiveMessageWaitTimeSeconds: "20",
    VisibilityTimeout: "300",
  });
  expect(JSON.parse(String(Attributes.RedrivePolicy))).toMatchObject({
    deadLetterTargetArn: hostConfig().deadLetterQueueArn,
    maxReceiveCount: 10,
  });
});

test("messages arrive as they were sent; a removed queue is gone, and may be removed again", async () => {
  const url = await queues.create(randomUUID());
  const message = {
    v: 1,
    type: "backup",
    trigger: "manual",
    site_id: randomUUID(),
    job_id: randomUUID(),
  } as const;
  await queues.send(url, message);
  const receive = new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 1 });
  const { Messages = [] } = await master.sqs.send(receive);
  expect(Messages.map(({ Body }) => JSON.parse(String(Body)))).toEqual([message]);
  await queues.remove(url);
  await queues.remove(url);
  await expect(queues.send(url, message)).rejects.toBeInstanceOf(QueueDoesNotExist);
});
