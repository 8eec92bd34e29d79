// The watch against the real records: what it ends, what it tells, and what it tells again when nobody heard it.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AlertMessage } from "#functions/core/alerts.ts";
import type { Delivery, Notifier } from "#functions/stores/notifier.ts";
import type { WatchResult } from "#functions/watch-chore.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";

let now = new Date("2030-01-01T12:00:00.000Z");
const told: AlertMessage[] = [];
let deliveries: Delivery[] = [{ name: "test" }];
let beats = 0;
const notifier: Notifier = {
  async tell(message) {
    told.push(message);
    return deliveries;
  },
  async beat() {
    beats += 1;
    throw new Error("the watchdog is away");
  },
};

let master: Master;
let node: TestNode;
let site: Site;
beforeAll(async () => {
  master = await startMaster({ now: () => now, deps: { notifier } });
  node = await master.enrolNode();
  site = await master.createSite(node.id);
  const body = { expression: "cron(0 2 * * ? *)", time_zone: "UTC", flexible_minutes: 0, enabled: true };
  await master.admin.call("putSiteSchedule", { id: site.id, body });
  await beat();
});
afterAll(() => master.close());

const pass = (hours: number): void => {
  now = new Date(now.getTime() + hours * 3_600_000);
};
const watch = async (): Promise<WatchResult> => (await master.invoke("watchChore", {})) as WatchResult;

async function beat(): Promise<void> {
  const body = {
    version: "t",
    platform: "t",
    disk_free_bytes: 1,
    disk_total_bytes: 2,
    running_job_id: null,
    outbox_length: 0,
  };
  await node.client.call("heartbeatNode", { body });
}

test("a lost job ends, its failure is told once, repeated when nobody heard it, and over when a backup came", async () => {
  expect(await watch()).toEqual({ ended: 0, opened: 0, repeated: 0, over: 0 });
  const { job_id: id } = await master.admin.call("startBackup", { id: site.id, body: {} });
  for (const _attempt of Array.from({ length: (await master.admin.call("getJob", { id })).max_attempts })) {
    const body = { site_id: site.id, runner_id: randomUUID(), trigger: "manual" as const };
    await node.client.call("claimJob", { id, body });
    pass(0.1);
    await beat();
    expect(await watch()).toMatchObject({ ended: 1, opened: 0 });
  }
  expect(await master.admin.call("getJob", { id })).toMatchObject({
    state: "failed",
    error: { code: "runner_lost" },
  });

  deliveries = [{ name: "test", error: new Error("nobody there") }];
  await expect(watch()).rejects.toThrow("No alert target took the message.");
  deliveries = [{ name: "test" }];
  expect(await watch()).toMatchObject({ opened: 1 });
  expect(await watch()).toMatchObject({ opened: 0, repeated: 0 });
  expect(told.map(({ title }) => title)).toEqual(["Backupd: 1 new", "Backupd: 1 new"]);
  expect(told.at(-1)?.lines[0]).toContain(
    "shop.example.com on web1.example.com: the last backup ended as failed",
  );

  await master.admin.call("patchSite", { id: site.id, body: { state: "paused" } });
  await watch();
  pass(1.1);
  await beat();
  expect(await watch()).toMatchObject({ over: 1 });
  expect(told.at(-1)?.title).toBe("Backupd: 1 over");
});

test("a node that falls silent is told of within two runs, and the watchdog hears of every run", async () => {
  const before = beats;
  pass(0.25);
  await watch();
  pass(0.25);
  await watch();
  expect(told.at(-1)?.lines[0]).toContain("Node web1.example.com is silent");
  expect(beats).toBe(before + 2);
});
