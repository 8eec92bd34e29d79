// The local SQS keeps the contract, and what only it promises: loopback, durability, nothing but SQS.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { type RunningSqs, startSqs } from "#local/sqs.ts";
import { sqsContract } from "./sqs-contract.ts";

const openClient = (endpoint: string): SQSClient =>
  new SQSClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });

async function makeDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "sqs-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

sqsContract("local", async () => {
  const dir = await makeDir();
  const sqs = await startSqs({ dataDir: dir.path, port: 0 });
  const client = openClient(sqs.endpoint);
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await sqs.close();
      await dir[Symbol.asyncDispose]();
    },
  };
});

test("queues, waiting and received messages survive a restart on another port", async () => {
  await using dir = await makeDir();
  const before = await startSqs({ dataDir: dir.path, port: 0 });
  let client = openClient(before.endpoint);
  const Attributes = { VisibilityTimeout: "2" };
  const { QueueUrl: oldUrl } = await client.send(new CreateQueueCommand({ QueueName: "node-1", Attributes }));
  await client.send(new SendMessageCommand({ QueueUrl: oldUrl, MessageBody: "received, not deleted" }));
  const received = await client.send(new ReceiveMessageCommand({ QueueUrl: oldUrl }));
  await client.send(new SendMessageCommand({ QueueUrl: oldUrl, MessageBody: "waiting" }));
  client.destroy();
  await before.close();

  await using after = await startSqs({ dataDir: dir.path, port: 0 });
  client = openClient(after.endpoint);
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "node-1" }));
  expect(QueueUrl).toBe(`http://127.0.0.1:${after.port}/000000000000/node-1`);
  const take = async (): Promise<string | undefined> => {
    const input = { QueueUrl, WaitTimeSeconds: 5, VisibilityTimeout: 60 };
    return (await client.send(new ReceiveMessageCommand(input))).Messages?.[0]?.Body;
  };
  expect([await take(), await take()]).toEqual(["waiting", "received, not deleted"]);
  // The receipt of a delivery that timed out since is worth nothing, and does no harm.
  const ReceiptHandle = received.Messages?.[0]?.ReceiptHandle;
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  client.destroy();
});

test("an acknowledged message survives kill -9", async () => {
  await using dir = await makeDir();
  const child = spawn(process.execPath, [join(import.meta.dirname, "killed-sqs.ts"), dir.path], {
    stdio: "inherit",
  });
  await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  await using sqs = await startSqs({ dataDir: dir.path, port: 0 });
  const client = openClient(sqs.endpoint);
  const QueueUrl = `${sqs.endpoint}/000000000000/node-1`;
  const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages?.map(({ Body }) => Body)).toEqual(["acknowledged"]);
  client.destroy();
});

test("send() delivers to waiting polls, with attributes, and throws for a queue that is not there", async () => {
  await using dir = await makeDir();
  await using sqs = await startSqs({ dataDir: dir.path, port: 0 });
  const client = openClient(sqs.endpoint);
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: "node-1" }));
  const input = { QueueUrl, WaitTimeSeconds: 20, MessageAttributeNames: ["All"] };
  const waiting = client.send(new ReceiveMessageCommand(input));
  sqs.send("arn:aws:sqs:us-east-1:000000000000:node-1", "scheduled", { ERROR_CODE: "X" });
  expect((await waiting).Messages?.[0]).toMatchObject({
    Body: "scheduled",
    MessageAttributes: { ERROR_CODE: { StringValue: "X" } },
  });
  expect(() => sqs.send("arn:aws:sqs:us-east-1:000000000000:nope", "x")).toThrow("There is no queue");
  client.destroy();
});

test("closing ends the long polls that wait, at once", async () => {
  await using dir = await makeDir();
  const sqs = await startSqs({ dataDir: dir.path, port: 0 });
  const client = openClient(sqs.endpoint);
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: "node-1" }));
  const waiting = client
    .send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }))
    .catch(() => "ended");
  await client.send(new GetQueueUrlCommand({ QueueName: "node-1" }));
  const startedMs = performance.now();
  await sqs.close();
  client.destroy();
  await waiting;
  expect(performance.now() - startedMs).toBeLessThan(2000);
});

test("serves SQS only, on 127.0.0.1 only", async () => {
  await using dir = await makeDir();
  await using sqs: RunningSqs = await startSqs({ dataDir: dir.path, port: 0 });
  const s3 = await fetch(`${sqs.endpoint}/bucket/..%2f..%2fescape`, { method: "PUT", body: "x" });
  expect(s3.status).toBe(404);
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal)?.address;
  if (outside) await expect(fetch(`http://${outside}:${sqs.port}/`)).rejects.toThrow();
  await expect(startSqs({ dataDir: dir.path, port: sqs.port })).rejects.toThrow("EADDRINUSE");
});
