// The S3 of the local stack: starts the loopback server over a data directory and ends it without losing a request.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CredentialSource } from "./credentials.ts";
import type { S3FaultHook } from "./faults.ts";
import { handleRequest } from "./handle-request.ts";
import { inspectStore, type S3Inspection } from "./inspect.ts";
import type { ObjectCreated } from "./object-created.ts";
import { Store } from "./store/store.ts";

// A silent connection is given up after this; a slow upload of hours is not.
const IDLE_SOCKET_MS = 5 * 60 * 1000;
const KEEP_ALIVE_MS = 75 * 1000;

export interface S3Options {
  /** Holds metadata.sqlite and parts/; one server at a time. */
  readonly dataDir: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: "127.0.0.1";
  readonly credentials: CredentialSource;
  readonly now: () => Date;
  readonly log?: (event: object) => void;
  readonly faults?: S3FaultHook;
  /** Told of each object that is stored, at least once, as EventBridge would be. */
  readonly onCreated?: (created: ObjectCreated) => void;
}

export interface S3Server {
  readonly endpoint: string;
  readonly port: number;
  inspect(): Promise<S3Inspection>;
  /** Cuts open connections, lets what they began come to its end, and closes the store. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Rejects if the port is taken, or another server has the data directory. */
export async function startS3(options: S3Options): Promise<S3Server> {
  const host = options.host ?? "127.0.0.1";
  const log = options.log ?? (() => undefined);
  const store = await Store.open(options.dataDir, log);
  const inFlight = new Set<Promise<void>>();
  const deps = {
    store,
    log,
    now: options.now,
    credentials: options.credentials,
    faults: options.faults,
    onCreated: options.onCreated,
  };
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const handled = handleRequest(incoming, outgoing, deps).finally(() => inFlight.delete(handled));
    inFlight.add(handled);
  };
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, serve);
  // Without a listener Node would say 100-continue itself, before the request is judged.
  server.on("checkContinue", serve);
  server.setTimeout(IDLE_SOCKET_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port, host, resolve);
    });
  } catch (error) {
    await store.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const serverClosed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await serverClosed;
    await Promise.all(inFlight);
    await store.close();
  };
  const closeOnce = (): Promise<void> => {
    closed ??= close();
    return closed;
  };
  return {
    endpoint: `http://${host}:${port}`,
    port,
    inspect: () => inspectStore(store),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}
