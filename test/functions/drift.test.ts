// Schedules and queues held against the records on real services: what a crash left half done is finished by the next run,
// what nobody has on record is left alone.
import { randomUUID } from "node:crypto";
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { queueArn, queueName } from "#functions/core/queue-names.ts";
import { handler as chore } from "#functions/drift-chore.ts";
import { openQueues } from "#functions/stores/queues.ts";
import { openSchedules } from "#functions/stores/schedules.ts";
import type { DriftReport } from "#shared/contracts/upkeep.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { hostConfig } from "#test/helpers/stores.ts";

const SCHEDULE = { expression: "rate(1 day)", time_zone: "UTC", flexible_minutes: 15, enabled: true };

let broken: "schedules" | "queues" | undefined;
let master: Master;
let node: TestNode;
let scheduler: SchedulerClient;
let group: string;
beforeAll(async () => {
  // A process that dies between two writes is one whose second write never comes.
  const dies = (what: typeof broken) => {
    if (broken === what) throw new Error("killed");
  };
  let [schedules, queues]: [
    ReturnType<typeof openSchedules> | undefined,
    ReturnType<typeof openQueues> | undefined,
  ] = [undefined, undefined];
  const ofSchedules = () => (schedules ??= openSchedules(hostConfig()));
  const ofQueues = () => (queues ??= openQueues(hostConfig()));
  master = await startMaster({
    deps: {
      schedules: {
        async put(...args) {
          dies("schedules");
          await ofSchedules().put(...args);
        },
        async remove(siteId) {
          await ofSchedules().remove(siteId);
        },
        removeOne: (...args) => ofSchedules().removeOne(...args),
        isAsWanted: (...args) => ofSchedules().isAsWanted(...args),
        list: () => ofSchedules().list(),
      },
      queues: {
        create: (id) => ofQueues().create(id),
        send: (...args) => ofQueues().send(...args),
        async remove(url) {
          dies("queues");
          await ofQueues().remove(url);
        },
        list: () => ofQueues().list(),
        isAsWanted: (url) => ofQueues().isAsWanted(url),
        setRight: (url) => ofQueues().setRight(url),
      },
    },
  });
  node = await master.enrolNode();
  scheduler = new SchedulerClient({});
  group = hostConfig().scheduleGroup;
});
afterAll(async () => {
  scheduler.destroy();
  await master.close();
});

const scheduleNames = async () =>
  ((await scheduler.send(new ListSchedulesCommand({ GroupName: group }))).Schedules ?? []).map(
    ({ Name }) => Name,
  );
const queueNames = async () =>
  ((await master.sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []).map((url) => url.split("/").at(-1));
const readSchedule = (Name: string) => scheduler.send(new GetScheduleCommand({ Name, GroupName: group }));
const urlOf = async (nodeId: string): Promise<string> => {
  const prefix = queueName(hostConfig(), nodeId);
  const { QueueUrls = [] } = await master.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix }));
  return String(QueueUrls[0]);
};
/** In every hour of a day, so that everything is compared. */
async function run(): Promise<DriftReport["counts"]> {
  const counts: Record<string, number> = {};
  for (let hour = 0; hour < 24; hour += 1) {
    const time = new Date(Date.UTC(2030, 0, 1, hour)).toISOString();
    const report = await chore({ time }, { getRemainingTimeInMillis: () => 900_000 } as Context);
    for (const [kind, count] of Object.entries(report.counts))
      counts[kind] = Math.max(counts[kind] ?? 0, count);
  }
  return counts;
}
const check = () => master.admin.call("checkDrift", { body: {} });

test("killed between a site's record and its schedule: the next run makes it", async () => {
  const site = await master.createSite(node.id);
  broken = "schedules";
  await expect(master.admin.call("putSiteSchedule", { id: site.id, body: SCHEDULE })).rejects.toThrow();
  broken = undefined;
  expect((await master.admin.call("getSite", { id: site.id })).schedule).toEqual(SCHEDULE);
  const name = `site-${site.id}`;
  expect(await scheduleNames()).not.toContain(name);
  expect(await check()).toMatchObject({
    dry_run: true,
    findings: [{ kind: "schedule_missing", name, error: null }],
  });
  expect(await scheduleNames()).not.toContain(name);
  expect(await run()).toEqual({ schedule_missing: 1 });
  expect(await readSchedule(name)).toMatchObject({
    ScheduleExpression: "rate(1 day)",
    Target: { Arn: queueArn(hostConfig(), node.id) },
  });
  expect(await run()).toEqual({});
});

test("killed between a node's record and its queue: the next run removes it, and no other", async () => {
  const [gone, disabled] = [await master.enrolNode("gone"), await master.enrolNode("disabled")];
  await master.admin.call("patchNode", { id: disabled.id, body: { state: "disabled" } });
  broken = "queues";
  await expect(master.admin.call("deleteNode", { id: gone.id })).rejects.toThrow();
  broken = undefined;
  const unknown = queueName(hostConfig(), randomUUID());
  await master.sqs.send(new CreateQueueCommand({ QueueName: unknown }));
  expect(await run()).toEqual({ queue_stray: 1, queue_unknown: 1 });
  const names = await queueNames();
  expect(names).not.toContain(queueName(hostConfig(), gone.id));
  for (const kept of [disabled.id, node.id]) expect(names).toContain(queueName(hostConfig(), kept));
  expect(names).toContain(unknown);
  await master.sqs.send(new DeleteQueueCommand({ QueueUrl: await urlOf(unknown.slice(-36)) }));
});

test("what was changed, switched off or deleted by hand is put back", async () => {
  const site = await master.createSite(node.id, "hands.example.com");
  await master.admin.call("putSiteSchedule", { id: site.id, body: SCHEDULE });
  await master.admin.call("putSiteProof", { id: site.id, body: { ...SCHEDULE, expression: "rate(7 days)" } });
  const change = async (name: string, more: object): Promise<void> => {
    const { Target, ScheduleExpression, FlexibleTimeWindow } = await readSchedule(name);
    const same = { Name: name, GroupName: group, Target, ScheduleExpression, FlexibleTimeWindow };
    await scheduler.send(new UpdateScheduleCommand({ ...same, ...more }));
  };
  const [backup, proof] = [`site-${site.id}`, `proof-${site.id}`];
  await change(backup, { ScheduleExpression: "rate(9 days)" });
  expect(await run()).toEqual({ schedule_wrong: 1 });
  expect(await readSchedule(backup)).toMatchObject({ ScheduleExpression: "rate(1 day)", State: "ENABLED" });
  await change(backup, { State: "DISABLED" });
  await scheduler.send(new DeleteScheduleCommand({ Name: proof, GroupName: group }));
  const QueueUrl = await urlOf(node.id);
  await master.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: "1" } }));
  expect(await run()).toEqual({ schedule_wrong: 1, schedule_missing: 1, queue_wrong: 1 });
  expect(await scheduleNames()).toContain(proof);
  const attributes = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["VisibilityTimeout"] });
  expect((await master.sqs.send(attributes)).Attributes).toEqual({ VisibilityTimeout: "300" });
  await master.sqs.send(new DeleteQueueCommand({ QueueUrl }));
  expect(await run()).toEqual({ queue_missing: 1 });

  await master.admin.call("patchSite", { id: site.id, body: { state: "paused" } });
  expect(await run()).toEqual({});
  expect((await readSchedule(backup)).State).toBe("DISABLED");
});

test("schedules of removed sites go, those of no site on record and with other names stay", async () => {
  const site = await master.createSite(node.id, "removed.example.com");
  await master.admin.call("deleteSite", { id: site.id });
  const names = [`site-${site.id}`, `proof-${site.id}`, `site-${randomUUID()}`, "somebody-elses"];
  for (const Name of names) {
    const Target = { Arn: queueArn(hostConfig(), node.id), RoleArn: hostConfig().schedulerRoleArn };
    const ScheduleExpression = "rate(1 day)";
    const own = { Name, GroupName: group, FlexibleTimeWindow: { Mode: "OFF" as const } };
    await scheduler.send(new CreateScheduleCommand({ ...own, Target, ScheduleExpression }));
  }
  expect(await run()).toEqual({ schedule_stray: 2, schedule_unknown: 2 });
  const left = await scheduleNames();
  expect(names.map((name) => left.includes(name))).toEqual([false, false, true, true]);
  expect(await master.admin.call("getUpkeep")).toMatchObject({ drift: { counts: { schedule_unknown: 2 } } });
});

test("what cannot be repaired is said, and the run fails", async () => {
  const site = await master.createSite(node.id, "broken.example.com");
  await master.admin.call("putSiteSchedule", { id: site.id, body: SCHEDULE });
  await scheduler.send(new DeleteScheduleCommand({ Name: `site-${site.id}`, GroupName: group }));
  broken = "schedules";
  await expect(run()).rejects.toThrow("1 schedules or queues could not be repaired.");
  broken = undefined;
  const { drift } = await master.admin.call("getUpkeep");
  expect(drift?.findings).toContainEqual(
    expect.objectContaining({ kind: "schedule_missing", error: "killed" }),
  );
  expect(await run()).toMatchObject({ schedule_missing: 1 });
});
