// What the Master needs of EventBridge Scheduler: one call that makes or changes, and a removal that never fails.
import { randomUUID } from "node:crypto";
import { GetScheduleCommand, ResourceNotFoundException, SchedulerClient } from "@aws-sdk/client-scheduler";
import { afterAll, beforeAll, expect, test } from "vitest";
import { queueArn } from "#functions/core/queue-names.ts";
import { openSchedules, type Schedules } from "#functions/stores/schedules.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { hostConfig } from "#test/helpers/stores.ts";

let master: Master;
let schedules: Schedules;
let client: SchedulerClient;
beforeAll(async () => {
  master = await startMaster();
  schedules = openSchedules(hostConfig());
  client = new SchedulerClient({});
});
afterAll(async () => {
  client.destroy();
  await master.close();
});

const SCHEDULE = { expression: "rate(1 day)", time_zone: "UTC", flexible_minutes: 15, enabled: true };

test("put makes, changes and repeats, also many at once; remove removes, also twice", async () => {
  const siteId = randomUUID();
  const arn = queueArn(hostConfig(), randomUUID());
  const read = (prefix = "site") =>
    client.send(
      new GetScheduleCommand({ Name: `${prefix}-${siteId}`, GroupName: hostConfig().scheduleGroup }),
    );
  await Promise.all(Array.from({ length: 5 }, () => schedules.put(siteId, "backup", SCHEDULE, arn)));
  expect(await read()).toMatchObject({
    ScheduleExpression: "rate(1 day)",
    FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 15 },
    Target: { Arn: arn, DeadLetterConfig: { Arn: hostConfig().deadLetterQueueArn } },
  });
  await schedules.put(siteId, "backup", { ...SCHEDULE, expression: "rate(2 days)", enabled: false }, arn);
  expect(await read()).toMatchObject({ ScheduleExpression: "rate(2 days)", State: "DISABLED" });
  await schedules.put(siteId, "verify", { ...SCHEDULE, expression: "rate(7 days)" }, arn);
  const proof = await read("proof");
  expect(JSON.parse(proof.Target?.Input ?? "")).toMatchObject({ type: "verify", site_id: siteId });
  expect((await read()).ScheduleExpression).toBe("rate(2 days)");
  await schedules.remove(siteId);
  await schedules.remove(siteId);
  for (const prefix of ["site", "proof"]) {
    await expect(read(prefix)).rejects.toBeInstanceOf(ResourceNotFoundException);
  }
});
