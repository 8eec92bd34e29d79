// When messages are sent: on time, once, after failures, after downtime, after a clock was set.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { describe, expect, test } from "vitest";
import { parseDefinition } from "#local/scheduler/definition.ts";
import { planNext } from "#local/scheduler/plan-next.ts";
import { type RunningScheduler, startScheduler } from "#local/scheduler/server.ts";
import { SchedulerStore } from "#local/scheduler/store.ts";
import { DEAD_LETTERS, makeRig, QUEUE, type Rig, scheduleInput } from "./scheduler-rig.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

const create = (rig: Rig, ...overrides: Parameters<typeof scheduleInput>): Promise<unknown> =>
  rig.client.send(new CreateScheduleCommand(scheduleInput(...overrides)));
const bodies = (rig: Rig): string[] => rig.sent.map((message) => message.body);

describe("on time", () => {
  test("a rate fires at once, and then at its beat", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00.250Z");
    await create(rig);
    await rig.advance(2 * HOUR);
    expect(bodies(rig)).toEqual(["2026-05-04T10:00:00Z", "2026-05-04T11:00:00Z", "2026-05-04T12:00:00Z"]);
    expect(rig.sent[1]).toMatchObject({ queueArn: QUEUE, at: "2026-05-04T11:00:00.000Z" });
  });

  test("a rate with a StartDate counts from there", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    await create(rig, {
      StartDate: new Date("2026-05-04T10:20:00Z"),
      EndDate: new Date("2026-05-04T12:20:00Z"),
    });
    await rig.advance(4 * HOUR);
    expect(bodies(rig)).toEqual(["2026-05-04T10:20:00Z", "2026-05-04T11:20:00Z", "2026-05-04T12:20:00Z"]);
  });

  test("cron follows its time zone over the change of clocks, and never repeats the repeated hour", async () => {
    await using rig = await makeRig("2026-10-24T12:00:00Z");
    await create(rig, {
      ScheduleExpression: "cron(30 2 * * ? *)",
      ScheduleExpressionTimezone: "Europe/Berlin",
    });
    await rig.advance(2 * DAY);
    expect(bodies(rig)).toEqual(["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
  });

  test("a schedule months away is not late, and its timer never exceeds what setTimeout can hold", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    await create(rig, { ScheduleExpression: "at(2026-07-04T10:00:00)" });
    await rig.advance(MINUTE);
    expect(rig.longestSleepMs).toBe(30_000);
    rig.setClock("2026-07-04T09:59:00Z");
    await rig.advance(MINUTE - 1);
    expect(rig.sent).toEqual([]);
    await rig.advance(1);
    expect(bodies(rig)).toEqual(["2026-07-04T10:00:00Z"]);
  });

  test("a disabled schedule is silent, and enabling it does not make up for what passed", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    await create(rig, { ScheduleExpression: "cron(0 * * * ? *)", State: "DISABLED" });
    await rig.advance(90 * MINUTE);
    expect(rig.sent).toEqual([]);
    const enabled = scheduleInput({ ScheduleExpression: "cron(0 * * * ? *)", State: "ENABLED" });
    await rig.client.send(new UpdateScheduleCommand(enabled));
    await rig.advance(HOUR);
    expect(bodies(rig)).toEqual(["2026-05-04T12:00:00Z"]);
  });

  test("an update that leaves the timing alone keeps the beat; a deleted schedule is silent", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    await create(rig);
    await rig.advance(10 * MINUTE);
    await rig.client.send(new UpdateScheduleCommand(scheduleInput({ Description: "renamed" })));
    await rig.advance(50 * MINUTE);
    expect(bodies(rig)).toEqual(["2026-05-04T10:00:00Z", "2026-05-04T11:00:00Z"]);
    await rig.client.send(new DeleteScheduleCommand({ Name: "site-1" }));
    await rig.advance(5 * HOUR);
    expect(rig.sent).toHaveLength(2);
  });

  test("a flexible window delays by a fixed part of it, tells the scheduled time, and spreads schedules", async () => {
    await using rig = await makeRig("2026-05-04T09:59:00Z");
    const names = Array.from({ length: 40 }, (_, index) => `site-${index}`);
    for (const Name of names) {
      await create(rig, {
        Name,
        ScheduleExpression: "cron(0 10 * * ? *)",
        FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 60 },
      });
    }
    await rig.advance(DAY + 61 * MINUTE);
    const days = [rig.sent.slice(0, 40), rig.sent.slice(40)].map((day) => day.map(({ at }) => at.slice(11)));
    expect(days[0]).toEqual(days[1]);
    expect(new Set(days[0]).size).toBeGreaterThan(35);
    expect(days[0]?.every((at) => at >= "10:00:00" && at < "11:00:00")).toBe(true);
    expect(new Set(bodies(rig))).toEqual(new Set(["2026-05-04T10:00:00Z", "2026-05-05T10:00:00Z"]));
  });

  test("ActionAfterCompletion DELETE removes a schedule after its last run was delivered, not before", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    await create(rig, { ScheduleExpression: "at(2026-05-04T10:01:00)", ActionAfterCompletion: "DELETE" });
    rig.onDeliver = () => Promise.reject(new Error("the queue is away"));
    await rig.advance(MINUTE);
    const get = (): Promise<unknown> => rig.client.send(new GetScheduleCommand({ Name: "site-1" }));
    await get();
    rig.onDeliver = async () => undefined;
    await rig.advance(MINUTE);
    expect(rig.sent).toHaveLength(1);
    await expect(get()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("… and not while an earlier run is still being retried", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    rig.onDeliver = async (_arn, body) => {
      if (body === "2026-05-04T10:00:00Z" && rig.now().getUTCMinutes() < 3) throw new Error("not this one");
    };
    const EndDate = new Date("2026-05-04T10:01:00Z");
    await create(rig, { ScheduleExpression: "rate(1 minute)", EndDate, ActionAfterCompletion: "DELETE" });
    await rig.advance(2 * MINUTE);
    expect(bodies(rig)).toEqual(["2026-05-04T10:01:00Z"]);
    const get = (): Promise<unknown> => rig.client.send(new GetScheduleCommand({ Name: "site-1" }));
    await get();
    await rig.advance(5 * MINUTE);
    expect(rig.sent).toHaveLength(2);
    await expect(get()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("a delivery that takes long is not started a second time", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    const slow = Promise.withResolvers<void>();
    let deliveries = 0;
    rig.onDeliver = () => {
      deliveries += 1;
      return slow.promise;
    };
    await create(rig);
    // Every change has the scheduler look again at what is due.
    await rig.client.send(new UpdateScheduleCommand(scheduleInput({ Description: "look" })));
    slow.resolve();
    await rig.advance(MINUTE);
    expect(deliveries).toBe(1);
  });
});

describe("the message", () => {
  test("has the context attributes filled in, with one execution id for all attempts", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    let refusals = 2;
    const tried: string[] = [];
    rig.onDeliver = async (_arn, body) => {
      tried.push(body);
      if (refusals-- > 0) throw new Error("not now");
    };
    const Input = JSON.stringify({
      arn: "<aws.scheduler.schedule-arn>",
      time: "<aws.scheduler.scheduled-time>",
      id: "<aws.scheduler.execution-id>",
      attempt: "<aws.scheduler.attempt-number>",
      other: "<aws.scheduler.unknown>",
    });
    await create(rig, { target: { Input } });
    await rig.advance(MINUTE);
    const messages = tried.map((body) => JSON.parse(body) as Record<string, string>);
    expect(messages.map(({ attempt }) => attempt)).toEqual(["1", "2", "3"]);
    expect(messages[0]).toMatchObject({
      arn: "arn:aws:scheduler:us-east-1:000000000000:schedule/default/site-1",
      time: "2026-05-04T10:00:00Z",
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      other: "<aws.scheduler.unknown>",
    });
    expect(new Set(messages.map(({ id }) => id)).size).toBe(1);
    await rig.advance(HOUR);
    expect(JSON.parse(tried.at(-1) ?? "{}")).not.toMatchObject({ id: messages[0]?.id });
  });

  test("is AWS's default event when the target has no Input", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    await create(rig, { target: { Input: undefined } });
    await rig.advance(0);
    expect(JSON.parse(rig.sent[0]?.body ?? "{}")).toMatchObject({
      "detail-type": "Scheduled Event",
      time: "2026-05-04T10:00:00Z",
      resources: ["arn:aws:scheduler:us-east-1:000000000000:schedule/default/site-1"],
    });
  });
});

describe("failed deliveries", () => {
  test("are retried with growing pauses, then go to the dead-letter queue with the reason", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    const tried: string[] = [];
    rig.onDeliver = async (arn) => {
      if (arn !== QUEUE) return;
      tried.push(rig.now().toISOString().slice(14, 19));
      throw new Error("no such queue");
    };
    const RetryPolicy = { MaximumRetryAttempts: 3 };
    await create(rig, { target: { RetryPolicy, DeadLetterConfig: { Arn: DEAD_LETTERS } } });
    await rig.advance(10 * MINUTE);
    expect(tried).toEqual(["00:00", "00:01", "00:03", "00:07"]);
    expect(rig.sent).toHaveLength(1);
    expect(rig.sent[0]).toMatchObject({
      queueArn: DEAD_LETTERS,
      body: "2026-05-04T10:00:00Z",
      attempt: {
        messageAttributes: { ERROR_MESSAGE: "no such queue", RETRY_ATTEMPTS: "3", TARGET_ARN: QUEUE },
      },
    });
  });

  test("end when the event is too old, and without a dead-letter queue are dropped and logged", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    let tries = 0;
    rig.onDeliver = async () => {
      tries += 1;
      throw new Error("down");
    };
    await create(rig, { target: { RetryPolicy: { MaximumEventAgeInSeconds: 60 } } });
    await rig.advance(30 * MINUTE);
    // 0, 1, 3, 7, 15 and 31 s; the next would be at 63 s.
    expect(tries).toBe(6);
    expect(rig.logged.filter((event) => event === "delivery_failed_drop")).toHaveLength(1);
  });

  test("survive a restart with their attempts, and so does a letter that the dead-letter queue refused", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    let tries = 0;
    rig.onDeliver = async () => {
      tries += 1;
      throw new Error("down");
    };
    const RetryPolicy = { MaximumRetryAttempts: 1 };
    await create(rig, { target: { RetryPolicy, DeadLetterConfig: { Arn: DEAD_LETTERS } } });
    await rig.advance(0);
    await rig.restart();
    await rig.advance(30_000);
    expect(tries).toBe(3);
    await rig.restart();
    rig.onDeliver = async () => undefined;
    await rig.advance(2 * MINUTE);
    expect(rig.sent.map(({ queueArn }) => queueArn)).toEqual([DEAD_LETTERS]);
  });
});

describe("downtime and clocks", () => {
  const hourly = { ScheduleExpression: "cron(0 * * * ? *)" };

  test("a run missed for less than 15 minutes is made up for once, with its own scheduled time", async () => {
    await using rig = await makeRig("2026-05-04T09:30:00Z");
    await create(rig, hourly);
    await rig.restart({ at: "2026-05-04T14:10:00Z" });
    expect(bodies(rig)).toEqual(["2026-05-04T14:00:00Z"]);
    await rig.restart({ at: "2026-05-04T14:11:00Z" });
    await rig.advance(HOUR);
    expect(bodies(rig)).toEqual(["2026-05-04T14:00:00Z", "2026-05-04T15:00:00Z"]);
  });

  test("an older one is not, unless its event age allows it", async () => {
    await using rig = await makeRig("2026-05-04T09:30:00Z");
    await create(rig, { ...hourly, Name: "default-age" });
    const target = { Input: "patient", RetryPolicy: { MaximumEventAgeInSeconds: 7200 } };
    await create(rig, { ...hourly, Name: "two-hours", target });
    await rig.restart({ at: "2026-05-04T14:20:00Z" });
    expect(bodies(rig)).toEqual(["patient"]);
    expect(rig.logged).toContain("schedule_missed");
  });

  test("a run per minute missed for a day is made up for by one message", async () => {
    await using rig = await makeRig("2026-05-04T09:30:30Z");
    const target = { RetryPolicy: { MaximumEventAgeInSeconds: 86_400 } };
    await create(rig, { ScheduleExpression: "cron(* * * * ? *)", target });
    await rig.restart({ at: "2026-05-05T09:30:30Z" });
    expect(bodies(rig)).toEqual(["2026-05-05T09:30:00Z"]);
  });

  test("killed -9 between delivery and note, it delivers that run again with the same execution id, once", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "scheduler-"));
    const child = spawn(process.execPath, [join(import.meta.dirname, "killed-scheduler.ts"), dataDir]);
    const [out] = await Promise.all([text(child.stdout), once(child, "exit")]);
    expect(child.signalCode).toBe("SIGKILL");
    const ids: string[] = [];
    const start = (): Promise<RunningScheduler> =>
      startScheduler({ dataDir, port: 0, deliver: async (_arn, body) => void ids.push(body) });
    for (const _restart of [1, 2]) {
      await using scheduler = await start();
      await scheduler.idle();
    }
    expect(out).toMatch(/^[0-9a-f]{16}$/);
    expect(ids).toEqual([out]);
    await rm(dataDir, { recursive: true });
  });

  test("ten thousand schedules start, fire and wait cheaply", async () => {
    await using rig = await makeRig("2026-05-04T00:00:30Z");
    const store = new SchedulerStore(rig.dataDir);
    const nowMs = rig.now().getTime();
    const times = { createdMs: nowMs, modifiedMs: nowMs, anchorMs: nowMs, computedMs: nowMs };
    store.transaction(() => {
      for (let index = 0; index < 10_000; index += 1) {
        const definition = parseDefinition(
          scheduleInput({ ScheduleExpression: `cron(${index % 60} ${Math.floor(index / 60) % 24} * * ? *)` }),
          rig.now(),
        );
        const name = `site-${index}`;
        const unplanned = { lastScheduledMs: null, nextScheduledMs: null, nextDueMs: null };
        const schedule = { group: "default", name, arn: `arn:${name}`, definition, ...times, ...unplanned };
        store.putSchedule(planNext(schedule, nowMs));
      }
    });
    store.close();
    const startedMs = performance.now();
    await rig.restart();
    await rig.advance(HOUR);
    const tookMs = performance.now() - startedMs;
    // 7 schedules are due in each of the 60 minutes (6 in some); 120 idle looks at the clock beside them.
    expect(rig.sent.length).toBeGreaterThanOrEqual(60 * 6);
    expect(new Set(rig.sent.map(({ at }) => at)).size).toBe(60);
    expect(tookMs).toBeLessThan(3000);
  });

  test("a machine that slept fires the last missed run within 30 seconds of waking", async () => {
    await using rig = await makeRig("2026-05-04T09:30:00Z");
    await create(rig, hourly);
    rig.setClock("2026-05-04T12:05:00Z");
    await rig.advance(30_000);
    expect(bodies(rig)).toEqual(["2026-05-04T12:00:00Z"]);
  });

  test("a clock set back an hour repeats nothing", async () => {
    await using rig = await makeRig("2026-05-04T09:59:00Z");
    await create(rig, hourly);
    await rig.advance(2 * MINUTE);
    rig.setClock("2026-05-04T09:01:00Z");
    await rig.advance(2 * HOUR);
    expect(bodies(rig)).toEqual(["2026-05-04T10:00:00Z", "2026-05-04T11:00:00Z"]);
  });

  test("a clock that was years ahead for a while does not silence a schedule", async () => {
    await using rig = await makeRig("2099-01-01T09:59:00Z");
    await create(rig, hourly);
    await rig.advance(2 * MINUTE);
    rig.setClock("2026-05-04T09:59:00Z");
    await rig.advance(2 * MINUTE);
    expect(bodies(rig)).toEqual(["2099-01-01T10:00:00Z", "2026-05-04T10:00:00Z"]);
  });

  test("nor a retry that such a clock had planned", async () => {
    await using rig = await makeRig("2099-01-01T10:00:00Z");
    rig.onDeliver = () => Promise.reject(new Error("down"));
    await create(rig, { ScheduleExpression: "at(2099-01-01T10:00:10)" });
    await rig.advance(10_000);
    rig.onDeliver = async () => undefined;
    rig.setClock("2026-05-04T09:00:00Z");
    await rig.advance(6 * MINUTE);
    expect(rig.sent).toHaveLength(1);
  });

  test("a result that cannot be written is not taken for a failure: the message is not sent again", async () => {
    await using rig = await makeRig("2026-05-04T10:00:00Z");
    const other = new DatabaseSync(join(rig.dataDir, "scheduler.sqlite"));
    other.exec("PRAGMA busy_timeout = 0");
    rig.onDeliver = async () => other.exec("BEGIN IMMEDIATE");
    await create(rig);
    await new Promise<void>((resolve) => {
      const look = (): void =>
        rig.logged.includes("scheduler_record_failed") ? resolve() : void setImmediate(look);
      look();
    });
    other.exec("ROLLBACK");
    other.close();
    rig.onDeliver = async () => undefined;
    await rig.restart();
    await rig.advance(MINUTE);
    expect(rig.sent).toHaveLength(1);
  });
});
