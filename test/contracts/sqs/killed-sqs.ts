// An SQS process that dies by kill -9 as soon as it has acknowledged a message.
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startSqs } from "#local/sqs.ts";

const { endpoint } = await startSqs({ dataDir: process.argv[2] ?? "", port: 0 });
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const client = new SQSClient({ endpoint, region: "us-east-1", credentials });
const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: "node-1" }));
await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "acknowledged" }));
process.kill(process.pid, "SIGKILL");
