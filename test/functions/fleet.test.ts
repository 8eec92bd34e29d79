// The first two calls of every dashboard: who am I, and does anything need me?
import { randomUUID } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { objectKey } from "#shared/object-key.ts";
import { startMaster } from "#test/helpers/master.ts";
import { successReport } from "#test/helpers/reports.ts";

const HEARTBEAT = {
  version: "1.0.0",
  platform: "linux x64",
  disk_free_bytes: 1,
  disk_total_bytes: 2,
  running_job_id: null,
  outbox_length: 0,
};

test("the fleet's counts follow its sites and nodes", async () => {
  const clock = { ms: Date.parse("2030-01-10T12:00:00.000Z") };
  await using master = await startMaster({ now: () => new Date(clock.ms) });
  const node = await master.enrolNode();
  const [good, bad, fresh] = [
    await master.createSite(node.id, "good"),
    await master.createSite(node.id, "bad"),
    await master.createSite(node.id, "fresh"),
  ];
  const schedule = { expression: "cron(0 3 * * ? *)", flexible_minutes: 0 };
  for (const { id } of [good, bad]) await master.admin.call("putSiteSchedule", { id, body: schedule });
  const claim = async (siteId: string) => {
    const { job_id: id } = await master.admin.call("startBackup", { id: siteId, body: {} });
    const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const };
    return node.client.call("claimJob", { id, body });
  };
  const work = await claim(good.id);
  const Key = objectKey(work.s3_path);
  await master.s3.send(new PutObjectCommand({ Bucket: master.bucket, Key, Body: Buffer.alloc(700) }));
  await node.client.call("reportBackup", { body: successReport(work, 700) });
  const { job, fencing } = await claim(bad.id);
  const at = new Date(clock.ms).toISOString();
  const error = { code: "db_unreachable", message: "The database server does not answer" };
  await node.client.call("reportBackup", {
    body: {
      job_id: job.id,
      site_id: bad.id,
      fencing,
      started_at: at,
      finished_at: at,
      status: "failed",
      error,
    },
  });
  await claim(fresh.id);
  const discovered = [good.path, "/var/www/nobody-protects-me"].map((path) => ({ path }));
  await node.client.call("heartbeatNode", { body: { ...HEARTBEAT, discovered_sites: discovered } });

  expect(await master.admin.call("getFleetSummary")).toEqual({
    at,
    sites: {
      total: 3,
      failing: 1,
      overdue: 0,
      unprotected: 1,
      protected: 1,
      paused: 0,
      unproved: 1,
      running: 1,
    },
    discovered_sites: 1,
    nodes: { total: 1, silent: 0, disabled: 0 },
    newest_backups_bytes: 700,
  });
  expect(await master.admin.call("getSite", { id: bad.id })).toMatchObject({
    last_job: { id: job.id, state: "failed", ended_at: at, code: "db_unreachable" },
    recent_days: { until: "2030-01-10", outcomes: `${"-".repeat(29)}f` },
    last_backup_bytes: null,
  });

  clock.ms += 36 * 3_600_000;
  expect(await master.admin.call("getFleetSummary")).toMatchObject({
    sites: { overdue: 1, failing: 1, protected: 0 },
    nodes: { silent: 1 },
  });
});

test("everybody with a role may ask who they are", async () => {
  await using master = await startMaster();
  for (const role of ["viewer", "operator", "admin"] as const) {
    const me = await (await master.operator(role)).call("getMe");
    expect(me).toMatchObject({ role, label: role });
  }
  const node = await master.enrolNode();
  await expect(node.client.call("getMe")).rejects.toMatchObject({ code: "role_too_low" });
});
