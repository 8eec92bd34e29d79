// The two local services together, as the local stack wires them: a schedule's message arrives in the node's queue.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { startScheduler } from "#local/scheduler/server.ts";
import { startSqs } from "#local/sqs.ts";
import { DEAD_LETTERS, QUEUE, scheduleInput } from "#test/local/scheduler/scheduler-rig.ts";

test("a message reaches a waiting runner; one for a queue that is gone ends in the dead-letter queue", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "stack-"));
  const region = "us-east-1";
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  {
    await using sqs = await startSqs({ dataDir, port: 0 });
    await using scheduler = await startScheduler({
      dataDir,
      port: 0,
      deliver: async (queueArn, body, attempt) => sqs.send(queueArn, body, attempt.messageAttributes),
    });
    const queues = new SQSClient({ endpoint: sqs.endpoint, region, credentials });
    const schedules = new SchedulerClient({ endpoint: scheduler.endpoint, region, credentials });
    const receive = async (arn: string) => {
      const QueueUrl = `${sqs.endpoint}/000000000000/${arn.split(":").at(-1)}`;
      const input = { QueueUrl, WaitTimeSeconds: 10, MessageAttributeNames: ["All"] };
      return (await queues.send(new ReceiveMessageCommand(input))).Messages;
    };
    await queues.send(new CreateQueueCommand({ QueueName: "node-1" }));
    await queues.send(new CreateQueueCommand({ QueueName: "dead-letters" }));

    const waiting = receive(QUEUE);
    const Input = '{"site":"s1","scheduled":"<aws.scheduler.scheduled-time>"}';
    await schedules.send(new CreateScheduleCommand(scheduleInput({ target: { Input } })));
    expect(JSON.parse((await waiting)?.[0]?.Body ?? "{}")).toMatchObject({ site: "s1" });

    const target = {
      Arn: `${QUEUE}-gone`,
      Input: "letter",
      DeadLetterConfig: { Arn: DEAD_LETTERS },
      RetryPolicy: { MaximumRetryAttempts: 0 },
    };
    await schedules.send(new CreateScheduleCommand(scheduleInput({ Name: "gone", target })));
    expect((await receive(DEAD_LETTERS))?.[0]).toMatchObject({
      Body: "letter",
      MessageAttributes: { ERROR_MESSAGE: { StringValue: expect.stringContaining("node-1-gone") as string } },
    });
    queues.destroy();
    schedules.destroy();
  }
  await rm(dataDir, { recursive: true });
});
