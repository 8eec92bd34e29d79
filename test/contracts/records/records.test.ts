// What the rules need of any table: compare-and-set that really compares, consistent sums, pages without gaps.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BackupRecord } from "#functions/core/records.ts";
import { openRecords, type Records } from "#functions/stores/records.ts";
import { aJob, aSite } from "#test/functions/core/job-records.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { successReport } from "#test/helpers/reports.ts";
import { hostConfig } from "#test/helpers/stores.ts";

let master: Master;
let records: Records;
beforeAll(async () => {
  master = await startMaster();
  records = openRecords(hostConfig());
});
afterAll(() => master.close());

function aBackup(fields: Partial<BackupRecord>): BackupRecord {
  const id = randomUUID();
  const report = successReport({ job: { id, site_id: id }, fencing: 1, s3_path: "/x" }, 1);
  return {
    id,
    job_id: randomUUID(),
    site_id: randomUUID(),
    site_name: "s",
    node_id: randomUUID(),
    trigger: "manual",
    created_at: new Date().toISOString(),
    s3_path: `/${id}`,
    size_bytes: 1,
    archive: report.archive,
    started_at: report.started_at,
    finished_at: report.finished_at,
    stages: [],
    warnings: [],
    warnings_total: 0,
    ...fields,
  };
}

describe("commit", () => {
  test("writes all or nothing", async () => {
    const job = aJob({ id: randomUUID() });
    const site = aSite({ id: randomUUID() });
    expect(await records.commit({ jobs: [{ before: undefined, after: job }] })).toBe(true);
    // The site was never written, so that its half of the transaction cannot hold.
    const step = {
      jobs: [{ before: job, after: { ...job, attempt: 9 } }],
      site: { before: site, after: site },
      backup: aBackup({ job_id: job.id }),
    };
    expect(await records.commit(step)).toBe(false);
    expect((await records.jobs.get(job.id))?.attempt).toBe(0);
    expect(await records.backups.get(step.backup.id)).toBeUndefined();
  });

  test("a write that is based on an older read is refused, and one on the newest goes through", async () => {
    const id = randomUUID();
    await records.commit({ jobs: [{ before: undefined, after: aJob({ id }) }] });
    const read = await records.jobs.get(id);
    if (read === undefined) throw new Error("not written");
    expect(await records.commit({ jobs: [{ before: read, after: { ...read, attempt: 1 } }] })).toBe(true);
    expect(await records.commit({ jobs: [{ before: read, after: { ...read, attempt: 2 } }] })).toBe(false);
    expect(await records.commit({ jobs: [{ before: undefined, after: { ...read, attempt: 3 } }] })).toBe(
      false,
    );
    const newest = await records.jobs.get(id);
    expect([newest?.attempt, newest?.version]).toEqual([1, 2]);
  });

  test("a lease renewal in between also makes the older read stale", async () => {
    const id = randomUUID();
    const job = aJob({ id, state: "running", fencing: 4 });
    await records.commit({ jobs: [{ before: undefined, after: job }] });
    const read = await records.jobs.get(id);
    if (read === undefined) throw new Error("not written");
    const renewal = { jobId: id, nodeId: job.node_id, leaseExpiresAt: "2031", progress: undefined };
    expect(await records.jobs.renew({ ...renewal, fencing: 3 })).toBeUndefined();
    expect(await records.jobs.renew({ ...renewal, nodeId: randomUUID(), fencing: 4 })).toBeUndefined();
    expect((await records.jobs.renew({ ...renewal, fencing: 4 }))?.lease_expires_at).toBe("2031");
    expect(await records.commit({ jobs: [{ before: read, after: read }] })).toBe(false);
  });

  test("fields that are gone are gone from the record", async () => {
    const id = randomUUID();
    await records.commit({ jobs: [{ before: undefined, after: aJob({ id, reason: "why" }) }] });
    const { reason: _reason, ...rest } = (await records.jobs.get(id)) ?? aJob();
    await records.commit({ jobs: [{ before: rest, after: rest }] });
    expect(await records.jobs.get(id)).toEqual({ ...rest, version: 2 });
  });
});

describe("backups", () => {
  test("a node's usage is all its backups and no other's, however many", async () => {
    const [nodeId, siteId] = [randomUUID(), randomUUID()];
    const created = (index: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, index)).toISOString();
    for (let index = 0; index < 30; index += 1) {
      const fields = { node_id: nodeId, created_at: created(index), size_bytes: index };
      const backup = aBackup({ ...fields, site_id: index % 2 === 0 ? siteId : randomUUID() });
      await records.commit({ jobs: [], backup });
    }
    await records.commit({ jobs: [], backup: aBackup({ site_id: siteId, size_bytes: 1_000_000 }) });
    const used = await records.backups.usedByNode(nodeId);
    expect(used).toHaveLength(30);
    expect(used.reduce((sum, backup) => sum + backup.size_bytes, 0)).toBe(435);
    const site = aSite({ id: siteId, node_id: nodeId });
    const page = await records.backups.listOfSite({ limit: 4 }, site);
    expect(page.items.map(({ size_bytes: bytes }) => bytes)).toEqual([28, 26, 24, 22]);
    const next = await records.backups.listOfSite({ limit: 4, cursor: String(page.next_cursor) }, site);
    expect(next.items.map(({ size_bytes: bytes }) => bytes)).toEqual([20, 18, 16, 14]);
    await expect(records.backups.list({ limit: 4, cursor: String(page.next_cursor) })).rejects.toThrow(
      "cursor",
    );
  });

  test("the same backup is not written twice", async () => {
    const backup = aBackup({});
    expect(await records.commit({ jobs: [], backup })).toBe(true);
    expect(await records.commit({ jobs: [], backup })).toBe(false);
  });

  test("the largest report that the API takes fits into a record", async () => {
    const warnings = Array.from({ length: 120 }, () => ({ code: "x".repeat(64), message: "m".repeat(2000) }));
    const backup = aBackup({ warnings });
    expect(await records.commit({ jobs: [], backup })).toBe(true);
    expect((await records.backups.get(backup.id))?.warnings).toHaveLength(120);
  });
});
