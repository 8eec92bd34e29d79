// Lambda's event source mapping of a queue, on loopback: hands its messages to a function and deletes those that the
// function is done with.
import { setTimeout as delay } from "node:timers/promises";
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

const BATCH_SIZE = 10;
const POLL_SECONDS = 20;
const PAUSE_AFTER_FAULT_MS = 5_000;

export interface QueuePollerOptions {
  readonly client: SQSClientConfig;
  readonly queueUrl: string;
  /** The function's own handler. */
  readonly invoke: (event: SQSEvent) => Promise<SQSBatchResponse>;
  readonly onError: (error: unknown) => void;
}

export function pollQueue(options: QueuePollerOptions): AsyncDisposable {
  const stop = new AbortController();
  const client = new SQSClient(options.client);
  const polling = poll(client, options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await polling;
      client.destroy();
    },
  };
}

async function poll(client: SQSClient, options: QueuePollerOptions, signal: AbortSignal): Promise<void> {
  const { queueUrl: QueueUrl, invoke, onError } = options;
  while (!signal.aborted) {
    try {
      const receive = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: BATCH_SIZE,
        WaitTimeSeconds: POLL_SECONDS,
      });
      const { Messages: messages = [] } = await client.send(receive, { abortSignal: signal });
      if (messages.length === 0) continue;
      const { batchItemFailures } = await invoke(toEvent(messages));
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { MessageId, ReceiptHandle } of messages) {
        if (failed.has(MessageId ?? "")) continue;
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await delay(PAUSE_AFTER_FAULT_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

function toEvent(messages: readonly Message[]): SQSEvent {
  const records = messages.map(({ MessageId = "", ReceiptHandle = "", Body = "" }) => ({
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
  }));
  // The handler reads no more of a record than this.
  return { Records: records } as unknown as SQSEvent;
}
