// SQS on loopback: fauxqs' queues and its SQLite persistence behind an HTTP server that we build ourselves.
//
// Why not `startFauxqs`: it listens on 0.0.0.0, and its S3 and SNS come along. `buildApp` is public and lets
// us listen where we want, but the classes that make it durable are not exported, so they are loaded by their
// file path; package.json pins the exact version, and test/contracts/sqs fails if an update moves them.
// Four more things differ from it here:
// - Queue URLs always name 127.0.0.1 and the present port, also those of queues made by an earlier process.
// - Giving a message back at once (visibility 0) works; there, with persistence, it answers 500 and the message
//   is lost until a restart, so here it becomes a timeout that has just ended.
// - Only SQS calls are answered; fauxqs' S3 would let a request write outside its directory.
// - A long poll whose client has gone takes no message. (fauxqs hands it one, lost until its visibility ends.)
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type BuildAppOptions, buildApp } from "fauxqs";

type Stores = NonNullable<BuildAppOptions["stores"]>;
type SqsStore = Stores["sqsStore"];
type SqsQueue = NonNullable<ReturnType<SqsStore["getQueue"]>>;
type SqsMessage = Parameters<SqsQueue["enqueue"]>[0];
type MessageAttributes = SqsMessage["messageAttributes"];

interface Persistence {
  loadSqsAndSns(queues: SqsStore, topics: Stores["snsStore"]): void;
  close(): void;
}

interface Internals {
  readonly SqsStore: {
    new (): SqsStore;
    createMessage(body: string, attributes: MessageAttributes, delaySeconds: number): SqsMessage;
  };
  readonly PersistenceManager: new (
    dataDir: string,
  ) => Persistence & { loadSqsQueues(store: SqsStore): void };
}

const ACCOUNT = "000000000000";
const SQS_JSON = "application/x-amz-json-1.0";

export interface SqsOptions {
  /** Holds fauxqs.db; made if it is not there. */
  readonly dataDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly region?: string;
}

export interface RunningSqs extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** Stores a message; throws if there is no such queue. */
  send(queueArn: string, body: string, attributes?: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

export async function startSqs(options: SqsOptions): Promise<RunningSqs> {
  const { SqsStore, PersistenceManager } = await loadInternals();
  const store = new SqsStore();
  const persistence = new PersistenceManager(options.dataDir);
  const app = buildApp({
    logger: false,
    defaultRegion: options.region ?? "us-east-1",
    stores: { sqsStore: store } as Stores,
  });
  const loaded = Promise.withResolvers<void>();
  app.addHook("onRequest", async (request, reply) => {
    const isSqs = request.method === "POST" && request.headers["content-type"]?.startsWith(SQS_JSON);
    if (!isSqs) return reply.status(404).send({ message: "Only SQS is served here." });
    await loaded.promise;
  });
  app.addHook("preHandler", async (request, reply) => {
    if (request.headers["x-amz-target"] !== "AmazonSQS.ReceiveMessage") return;
    const stillThere = await waitForMessage(store, request.body as ReceiveRequest, reply.raw);
    if (!stillThere) reply.hijack();
  });
  // Not before the last request has ended: it may still have something to write.
  app.addHook("onClose", async () => persistence.close());
  try {
    await app.listen({ port: options.port, host: "127.0.0.1" });
    const { port } = app.server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    loadQueues(store, persistence, (name) => `${endpoint}/${ACCOUNT}/${name}`);
    loaded.resolve();
    const close = async (): Promise<void> => app.close();
    return { endpoint, port, send: sender(store, SqsStore), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    loaded.reject(error);
    loaded.promise.catch(() => undefined);
    await app.close();
    throw error;
  }
}

async function loadInternals(): Promise<Internals> {
  const main = import.meta.resolve("fauxqs");
  const [queues, disk] = (await Promise.all([
    import(new URL("./sqs/sqsStore.js", main).href),
    import(new URL("./persistence.js", main).href),
  ])) as [Pick<Internals, "SqsStore">, Pick<Internals, "PersistenceManager">];
  return { ...queues, ...disk };
}

/** Fills the store from disk, moves the queues to their present addresses, and only then has it write. */
function loadQueues(store: SqsStore, persistence: Persistence, urlOf: (name: string) => string): void {
  const create = store.createQueue.bind(store);
  store.createQueue = (name, _formerUrl, ...rest) => {
    const queue = create(name, urlOf(name), ...rest);
    const change = queue.changeVisibility.bind(queue);
    queue.changeVisibility = (handle, seconds) => change(handle, seconds === 0 ? -0.001 : seconds);
    return queue;
  };
  // There is no SNS here, hence nothing of it to load.
  persistence.loadSqsAndSns(store, {} as Stores["snsStore"]);
  for (const writer of [store, ...store.allQueues()]) Object.assign(writer, { persistence });
}

interface ReceiveRequest {
  readonly QueueUrl?: string;
  WaitTimeSeconds?: number;
}

/**
 * Does the waiting of a long poll, so that fauxqs only has to look. False if the client went away meanwhile.
 * Faulty requests are left for fauxqs to refuse.
 */
async function waitForMessage(
  store: SqsStore,
  body: ReceiveRequest,
  response: ServerResponse,
): Promise<boolean> {
  const queue = store.getQueue(body.QueueUrl ?? "");
  const seconds = body.WaitTimeSeconds ?? Number(queue?.attributes.ReceiveMessageWaitTimeSeconds);
  if (queue === undefined || queue.isFifo() || !(seconds > 0 && seconds <= 20)) return true;
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  queue.processTimers();
  if (queue.messages.length === 0) await Promise.race([queue.waitForMessages(seconds), gone]);
  // The message that wakes us and the news that the client has gone may come in the same turn of the event
  // loop; "close" is its last phase.
  await nextTurn();
  await nextTurn();
  body.WaitTimeSeconds = 0;
  return !response.destroyed;
}

function sender(store: SqsStore, messages: Internals["SqsStore"]): RunningSqs["send"] {
  return (queueArn, body, attributes = {}) => {
    const queue = store.getQueueByArn(queueArn);
    if (queue === undefined) throw new Error(`There is no queue ${queueArn}.`);
    const typed = Object.entries(attributes).map(([name, StringValue]) => [
      name,
      { DataType: "String", StringValue },
    ]);
    const delaySeconds = Number(queue.attributes.DelaySeconds);
    queue.enqueue(messages.createMessage(body, Object.fromEntries(typed) as MessageAttributes, delaySeconds));
  };
}
