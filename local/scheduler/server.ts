// EventBridge Scheduler on loopback: no emulator of it exists, and the Master's schedules have to run for
// real on a developer's machine and in a small installation.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Deliver, Dispatcher, type Log, type Wake } from "./dispatcher.ts";
import { makeListener } from "./http.ts";
import { ensureDefaultGroup } from "./operations.ts";
import { SchedulerStore } from "./store.ts";

export interface SchedulerOptions {
  /** Holds scheduler.sqlite; made if it is not there. */
  readonly dataDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly deliver: Deliver;
  readonly now?: () => Date;
  readonly wake?: Wake;
  readonly log?: Log;
  /** Of the default group's ARN; a schedule's is that of the request that made it. */
  readonly region?: string;
}

export interface RunningScheduler extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** Resolves when no delivery is under way at this moment. */
  idle(): Promise<void>;
  /** Answers no more calls, waits for the deliveries under way, closes the file. */
  close(): Promise<void>;
}

export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const { dataDir, deliver, now = () => new Date(), wake = wakeByTimer, log = () => undefined } = options;
  const store = new SchedulerStore(dataDir);
  const dispatcher = new Dispatcher({ store, now, wake, deliver, log });
  const server = createServer(makeListener({ store, now, log, changed: () => dispatcher.poke() }));
  try {
    ensureDefaultGroup(store, options.region ?? "us-east-1", now());
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(options.port, "127.0.0.1", resolve);
    });
  } catch (error) {
    store.close();
    throw error;
  }
  dispatcher.poke();
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await Promise.all([dispatcher.close(), closed]);
    store.close();
  };
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    idle: () => dispatcher.idle(),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

const wakeByTimer: Wake = (delayMs, callback) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};
