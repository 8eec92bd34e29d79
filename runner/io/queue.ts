// The node's queue: one message at a time, by long poll. Deleting and putting back are the caller's decisions.
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { NodeConfig } from "#shared/contracts/nodes.ts";
import { BackupError } from "#shared/errors.ts";
import type { StorageCredentials } from "./credentials.ts";

export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  readonly receipt: string;
  /** 1 at the first delivery. */
  readonly receiveCount: number;
}

export interface JobQueue extends Disposable {
  /** undefined when none came within the poll. Throws `queue_unreachable`, or the signal's reason. */
  receive(signal: AbortSignal): Promise<QueueMessage | undefined>;
  delete(message: QueueMessage): Promise<void>;
  /** Hides it for so long from now; 0 gives it back at once. */
  hide(message: QueueMessage, seconds: number): Promise<void>;
}

/** Until the first `hide`: longer than claiming may take. */
const FIRST_HIDE_SECONDS = 120;
const CALL_TIMEOUT_MS = 15_000;
/** SQS' own bounds. */
const LONGEST_POLL_SECONDS = 20;
const LONGEST_HIDE_SECONDS = 43_200;

export interface QueueDeps {
  readonly credentials: () => Promise<StorageCredentials>;
  readonly pollSeconds?: number;
}

export function openQueue(place: NodeConfig["queue"], deps: QueueDeps): JobQueue {
  const client = new SQSClient({
    region: place.region,
    // The queue's URL decides where to go; the endpoint is needed where that is not AWS.
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint, useQueueUrlAsEndpoint: false }),
    credentials: deps.credentials,
  });
  const QueueUrl = place.url;
  const pollSeconds = deps.pollSeconds ?? LONGEST_POLL_SECONDS;

  async function send(
    command: DeleteMessageCommand | ChangeMessageVisibilityCommand,
    what: string,
  ): Promise<void> {
    try {
      // Both are commands without an answer; the union only keeps this in one place.
      const abortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS);
      await client.send(command as DeleteMessageCommand, { abortSignal });
    } catch (error) {
      throw queueError(error, what);
    }
  }

  return {
    async receive(signal) {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: pollSeconds,
        VisibilityTimeout: FIRST_HIDE_SECONDS,
        MessageSystemAttributeNames: ["ApproximateReceiveCount"],
      });
      const abortSignal = AbortSignal.any([signal, AbortSignal.timeout((pollSeconds + 15) * 1000)]);
      try {
        const { Messages: [message] = [] } = await client.send(command, { abortSignal });
        if (message?.ReceiptHandle === undefined) return undefined;
        return {
          messageId: message.MessageId ?? "",
          body: message.Body ?? "",
          receipt: message.ReceiptHandle,
          receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
        };
      } catch (error) {
        signal.throwIfAborted();
        throw queueError(error, "receive");
      }
    },
    delete: ({ receipt }) => send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receipt }), "delete"),
    hide({ receipt }, seconds) {
      const VisibilityTimeout = Math.min(LONGEST_HIDE_SECONDS, Math.max(0, Math.ceil(seconds)));
      return send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: receipt, VisibilityTimeout }),
        "hide",
      );
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

function queueError(error: unknown, what: string): BackupError {
  if (error instanceof BackupError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return new BackupError("queue_unreachable", { detail: `${what}: ${name}: ${message}`, cause: error });
}
