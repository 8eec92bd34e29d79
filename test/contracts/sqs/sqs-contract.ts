// What we rely on in SQS; run against the local one, and against AWS when asked to. The waits are the
// protocol's own (visibility timeouts are whole seconds).
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export interface OpenClient extends AsyncDisposable {
  readonly client: SQSClient;
}

export function sqsContract(name: string, open: () => Promise<OpenClient>): void {
  describe(`SQS: ${name}`, () => {
    let opened: OpenClient;
    let client: SQSClient;
    const made: string[] = [];
    let count = 0;

    beforeAll(async () => {
      opened = await open();
      client = opened.client;
    });
    afterAll(async () => {
      for (const QueueUrl of made) await client.send(new DeleteQueueCommand({ QueueUrl }));
      await opened[Symbol.asyncDispose]();
    });

    const uniqueName = (): string => `contract-${Date.now()}-${count++}`;
    async function makeQueue(Attributes: Record<string, string> = {}): Promise<string> {
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: uniqueName(), Attributes }));
      made.push(QueueUrl ?? "");
      return QueueUrl ?? "";
    }
    const send = (QueueUrl: string, MessageBody: string): Promise<unknown> =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    async function receive(
      QueueUrl: string,
      more: Partial<ReceiveMessageCommandInput> = {},
    ): Promise<Message[]> {
      const MessageSystemAttributeNames = ["ApproximateReceiveCount" as const];
      const input = { QueueUrl, WaitTimeSeconds: 0, MessageSystemAttributeNames, ...more };
      return (await client.send(new ReceiveMessageCommand(input))).Messages ?? [];
    }
    const arnOf = async (QueueUrl: string): Promise<string> => {
      const attributes = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
      );
      return attributes.Attributes?.QueueArn ?? "";
    };

    test("a queue keeps the attributes it was made with, and is found by name", async () => {
      const deadLetters = await arnOf(await makeQueue());
      const QueueName = uniqueName();
      const Attributes = {
        VisibilityTimeout: "120",
        ReceiveMessageWaitTimeSeconds: "20",
        MessageRetentionPeriod: "345600",
        SqsManagedSseEnabled: "true",
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters, maxReceiveCount: 3 }),
      };
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
      made.push(QueueUrl ?? "");
      const found = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
      expect(found.Attributes).toMatchObject(Attributes);
      expect((await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl).toBe(QueueUrl);
      // The same again is the same queue; with other attributes it is refused.
      expect((await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl).toBe(QueueUrl);
      const other = new CreateQueueCommand({
        QueueName,
        Attributes: { ...Attributes, VisibilityTimeout: "60" },
      });
      await expect(client.send(other)).rejects.toThrow();
    });

    test("a waiting long poll gets a message the moment it is sent", async () => {
      const queue = await makeQueue();
      const waiting = receive(queue, { WaitTimeSeconds: 20 });
      const startedMs = performance.now();
      await send(queue, "hello");
      expect((await waiting).map(({ Body }) => Body)).toEqual(["hello"]);
      expect(performance.now() - startedMs).toBeLessThan(1000);
    });

    test("an empty long poll ends after its time, and the queue's own time is the default", async () => {
      const queue = await makeQueue({ ReceiveMessageWaitTimeSeconds: "1" });
      const startedMs = performance.now();
      expect(await receive(queue, { WaitTimeSeconds: undefined })).toEqual([]);
      expect(performance.now() - startedMs).toBeGreaterThan(900);
    });

    test("an aborted long poll takes no message with it", async () => {
      const queue = await makeQueue();
      const abort = new AbortController();
      const command = new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 20 });
      const polling = client.send(command, { abortSignal: abort.signal });
      // A second poll that arrived after the first one is answered: then the first one is surely waiting.
      await receive(queue);
      abort.abort();
      await expect(polling).rejects.toThrow();
      await send(queue, "for the next one");
      expect((await receive(queue, { WaitTimeSeconds: 5 })).map(({ Body }) => Body)).toEqual([
        "for the next one",
      ]);
    });

    test("a received message is invisible until its timeout, then comes again; deleted, it never does", async () => {
      const queue = await makeQueue({ VisibilityTimeout: "1" });
      await send(queue, "again");
      const [first] = await receive(queue);
      expect(await receive(queue)).toEqual([]);
      const [second] = await receive(queue, { WaitTimeSeconds: 5, VisibilityTimeout: 30 });
      expect(second).toMatchObject({ MessageId: first?.MessageId, Body: "again" });
      expect(second?.Attributes?.ApproximateReceiveCount).toBe("2");
      const ReceiptHandle = second?.ReceiptHandle;
      await client.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }));
      const counts = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ["All"] }),
      );
      expect(counts.Attributes).toMatchObject({
        ApproximateNumberOfMessages: "0",
        ApproximateNumberOfMessagesNotVisible: "0",
      });
    });

    test("visibility can be extended while working, and given up at once", async () => {
      const queue = await makeQueue({ VisibilityTimeout: "1" });
      await send(queue, "long work");
      const [message] = await receive(queue);
      const change = (VisibilityTimeout: number): Promise<unknown> =>
        client.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl: queue,
            ReceiptHandle: message?.ReceiptHandle,
            VisibilityTimeout,
          }),
        );
      await change(60);
      expect(await receive(queue, { WaitTimeSeconds: 2 })).toEqual([]);
      await change(0);
      expect((await receive(queue, { WaitTimeSeconds: 5 })).map(({ Body }) => Body)).toEqual(["long work"]);
    });

    test("a message received more than maxReceiveCount times moves to the dead-letter queue", async () => {
      const deadLetters = await makeQueue();
      const RedrivePolicy = JSON.stringify({
        deadLetterTargetArn: await arnOf(deadLetters),
        maxReceiveCount: 2,
      });
      const queue = await makeQueue({ RedrivePolicy });
      await send(queue, "poison");
      for (const _time of [1, 2]) {
        expect(await receive(queue, { VisibilityTimeout: 0, WaitTimeSeconds: 5 })).toHaveLength(1);
      }
      expect(await receive(queue, { WaitTimeSeconds: 1 })).toEqual([]);
      expect((await receive(deadLetters, { WaitTimeSeconds: 5 })).map(({ Body }) => Body)).toEqual([
        "poison",
      ]);
    });

    test("a deleted queue is gone", async () => {
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: uniqueName() }));
      await client.send(new DeleteQueueCommand({ QueueUrl }));
      await expect(receive(QueueUrl ?? "")).rejects.toBeInstanceOf(QueueDoesNotExist);
    });
  });
}
