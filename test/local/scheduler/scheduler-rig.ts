// A scheduler with a clock that stands still until a test moves it, and a queue that notes what it is sent.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CreateScheduleCommandInput, SchedulerClient } from "@aws-sdk/client-scheduler";
import type { Attempt, Deliver } from "#local/scheduler/dispatcher.ts";
import { type RunningScheduler, startScheduler } from "#local/scheduler/server.ts";

export const QUEUE = "arn:aws:sqs:us-east-1:000000000000:node-1";
export const DEAD_LETTERS = "arn:aws:sqs:us-east-1:000000000000:dead-letters";
const ROLE = "arn:aws:iam::000000000000:role/scheduler";

export interface Sent {
  readonly queueArn: string;
  readonly body: string;
  readonly attempt: Attempt;
  readonly at: string;
}

export interface Rig extends AsyncDisposable {
  readonly client: SchedulerClient;
  readonly sent: Sent[];
  readonly logged: string[];
  readonly dataDir: string;
  readonly longestSleepMs: number;
  /** Replaces what happens to a delivery; by default it succeeds. */
  onDeliver: Deliver;
  now(): Date;
  /** Lets time pass, running every timer that falls due on the way and what it starts. */
  advance(ms: number): Promise<void>;
  /** Sets the clock without any timer running: a suspended machine, or NTP. */
  setClock(iso: string): void;
  restart(options?: { readonly at?: string }): Promise<void>;
}

export async function makeRig(iso: string): Promise<Rig> {
  const dataDir = await mkdtemp(join(tmpdir(), "scheduler-"));
  let nowMs = Date.parse(iso);
  let timers: { atMs: number; callback: () => void }[] = [];
  // As real ones do, timers count elapsed time, whatever the clock on the wall says.
  let elapsedMs = 0;
  let longestSleepMs = 0;
  const sent: Sent[] = [];
  const logged: string[] = [];
  let server: RunningScheduler;
  let client: SchedulerClient;

  const start = async (): Promise<void> => {
    timers = [];
    server = await startScheduler({
      dataDir,
      port: 0,
      now: () => new Date(nowMs),
      wake: (delayMs, callback) => {
        longestSleepMs = Math.max(longestSleepMs, delayMs);
        const timer = { atMs: elapsedMs + delayMs, callback };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
      deliver: async (queueArn, body, attempt) => {
        await rig.onDeliver(queueArn, body, attempt);
        sent.push({ queueArn, body, attempt, at: new Date(nowMs).toISOString() });
      },
      log: (event) => logged.push(event),
    });
    client = new SchedulerClient({
      endpoint: server.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
      maxAttempts: 1,
    });
  };

  const rig: Rig = {
    sent,
    logged,
    dataDir,
    onDeliver: async () => undefined,
    get client() {
      return client;
    },
    get longestSleepMs() {
      return longestSleepMs;
    },
    now: () => new Date(nowMs),
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      for (;;) {
        await server.idle();
        const next = timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (!next) break;
        timers = timers.filter((timer) => timer !== next);
        nowMs += Math.max(0, next.atMs - elapsedMs);
        elapsedMs = Math.max(elapsedMs, next.atMs);
        next.callback();
      }
      nowMs += untilMs - elapsedMs;
      elapsedMs = untilMs;
    },
    setClock(to) {
      nowMs = Date.parse(to);
    },
    async restart(options) {
      client.destroy();
      await server.close();
      if (options?.at !== undefined) nowMs = Date.parse(options.at);
      await start();
      await server.idle();
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server.close();
      await rm(dataDir, { recursive: true });
    },
  };
  await start();
  return rig;
}

/** A complete CreateSchedule input; override what the test is about. */
export function scheduleInput(
  overrides: Partial<CreateScheduleCommandInput> & { readonly target?: Record<string, unknown> } = {},
): CreateScheduleCommandInput {
  const { target, ...rest } = overrides;
  return {
    Name: "site-1",
    ScheduleExpression: "rate(1 hour)",
    FlexibleTimeWindow: { Mode: "OFF" },
    Target: { Arn: QUEUE, RoleArn: ROLE, Input: "<aws.scheduler.scheduled-time>", ...target },
    ...rest,
  };
}
