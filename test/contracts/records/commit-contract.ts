// What the job rules need of records wherever they are kept: compare-and-set that really compares, and all or nothing.
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Step } from "#functions/core/job-state.ts";
import type { BackupRecord, JobRecord } from "#functions/core/records.ts";
import type { Renewal } from "#functions/stores/job-records.ts";
import { aJob, aSite } from "#test/functions/core/job-records.ts";
import { aBackup } from "./a-backup.ts";

export interface CommittingRecords {
  readonly jobs: {
    get(id: string): Promise<JobRecord | undefined>;
    renew(renewal: Renewal): Promise<JobRecord | undefined>;
  };
  readonly backups: { get(id: string): Promise<BackupRecord | undefined> };
  commit(step: Step): Promise<boolean>;
}

export function commitContract(open: () => CommittingRecords): void {
  test("writes all or nothing", async () => {
    const job = aJob({ id: randomUUID() });
    const site = aSite({ id: randomUUID() });
    expect(await open().commit({ jobs: [{ before: undefined, after: job }] })).toBe(true);
    // The site was never written, so that its half of the transaction cannot hold.
    const step = {
      jobs: [{ before: job, after: { ...job, attempt: 9 } }],
      site: { before: site, after: site },
      backup: aBackup({ job_id: job.id }),
    };
    expect(await open().commit(step)).toBe(false);
    expect((await open().jobs.get(job.id))?.attempt).toBe(0);
    expect(await open().backups.get(step.backup.id)).toBeUndefined();
  });

  test("a write that is based on an older read is refused, and one on the newest goes through", async () => {
    const id = randomUUID();
    await open().commit({ jobs: [{ before: undefined, after: aJob({ id }) }] });
    const read = await open().jobs.get(id);
    if (read === undefined) throw new Error("not written");
    expect(await open().commit({ jobs: [{ before: read, after: { ...read, attempt: 1 } }] })).toBe(true);
    expect(await open().commit({ jobs: [{ before: read, after: { ...read, attempt: 2 } }] })).toBe(false);
    expect(await open().commit({ jobs: [{ before: undefined, after: { ...read, attempt: 3 } }] })).toBe(
      false,
    );
    const newest = await open().jobs.get(id);
    expect([newest?.attempt, newest?.version]).toEqual([1, 2]);
  });

  test("a lease renewal in between also makes the older read stale", async () => {
    const id = randomUUID();
    const job = aJob({ id, state: "running", fencing: 4 });
    await open().commit({ jobs: [{ before: undefined, after: job }] });
    const read = await open().jobs.get(id);
    if (read === undefined) throw new Error("not written");
    const renewal = { jobId: id, nodeId: job.node_id, leaseExpiresAt: "2031", progress: undefined };
    expect(await open().jobs.renew({ ...renewal, fencing: 3 })).toBeUndefined();
    expect(await open().jobs.renew({ ...renewal, nodeId: randomUUID(), fencing: 4 })).toBeUndefined();
    expect((await open().jobs.renew({ ...renewal, fencing: 4 }))?.lease_expires_at).toBe("2031");
    expect(await open().commit({ jobs: [{ before: read, after: read }] })).toBe(false);
  });

  test("fields that are gone are gone from the record", async () => {
    const id = randomUUID();
    await open().commit({ jobs: [{ before: undefined, after: aJob({ id, reason: "why" }) }] });
    const { reason: _reason, ...rest } = (await open().jobs.get(id)) ?? aJob();
    await open().commit({ jobs: [{ before: rest, after: rest }] });
    expect(await open().jobs.get(id)).toEqual({ ...rest, version: 2 });
  });

  test("the same backup is not written twice", async () => {
    const backup = aBackup({});
    expect(await open().commit({ jobs: [], backup })).toBe(true);
    expect(await open().commit({ jobs: [], backup })).toBe(false);
  });
}
