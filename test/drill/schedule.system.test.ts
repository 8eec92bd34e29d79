// A scheduled backup, and a scheduled proof of it, arrive on their own: EventBridge Scheduler → the node's SQS queue → backupd → S3 → the record.
// Only the Scheduler's clock is the test's; everything on the way is the real thing.
import { describe, expect, it } from "vitest";
import type { Job } from "#shared/contracts/jobs.ts";
import { jobIdFor } from "#shared/job-id.ts";
import { startFleet } from "#test/helpers/fleet.ts";

interface ManualTime {
  readonly time: {
    now: () => Date;
    wake: (delayMs: number, callback: () => void) => () => void;
  };
  /** Moves the clock and lets every waiting timer look at it. */
  moveTo(at: Date): void;
}

function manualTime(): ManualTime {
  let now = new Date();
  const waiting = new Set<() => void>();
  return {
    time: {
      now: () => now,
      wake: (_delayMs, callback) => {
        waiting.add(callback);
        return () => waiting.delete(callback);
      },
    },
    moveTo(at) {
      now = at;
      for (const callback of [...waiting]) {
        waiting.delete(callback);
        callback();
      }
    },
  };
}

describe("a site's schedule", () => {
  it("brings a backup by itself, once per scheduled time, and none while it is off or the site is paused", async () => {
    const clock = manualTime();
    await using fleet = await startFleet({ stack: { schedulerTime: clock.time } });
    const { operator, siteId, stack } = fleet;
    await fleet.startDaemon();
    const schedule = { expression: "cron(0 * * * ? *)", time_zone: "Europe/Berlin", flexible_minutes: 0 };
    await operator.call("putSiteSchedule", { id: siteId, body: { ...schedule, enabled: true } });

    const minute = 60_000;
    const hour = 60 * minute;
    const nextHour = new Date(Math.ceil(Date.now() / hour) * hour);
    const jobs = async (): Promise<Job[]> => (await operator.call("listJobs")).items;
    clock.moveTo(new Date(nextHour.getTime() - 1));
    await stack.scheduler.idle();
    expect(await jobs()).toEqual([]);

    clock.moveTo(nextHour);
    await stack.scheduler.idle();
    const jobId = jobIdFor(siteId, nextHour.toISOString());
    const job = await waitForListed(jobs, jobId, (id) => fleet.waitForJob(id));
    expect(job).toMatchObject({
      state: "succeeded",
      trigger: "schedule",
      scheduled_at: nextHour.toISOString(),
      site_id: siteId,
    });
    const { items } = await operator.call("listBackups", { query: { site_id: siteId } });
    expect(items).toMatchObject([{ id: job.backup_id, trigger: "schedule", job_id: jobId }]);

    // The proof of that backup comes by a schedule of its own, on the same way.
    const proof = { ...schedule, expression: "cron(30 * * * ? *)", enabled: true };
    await operator.call("putSiteProof", { id: siteId, body: proof });
    const halfPast = new Date(nextHour.getTime() + 30 * minute);
    clock.moveTo(halfPast);
    await stack.scheduler.idle();
    const proofId = jobIdFor(siteId, halfPast.toISOString(), "verify");
    const proved = await waitForListed(jobs, proofId, (id) => fleet.waitForJob(id));
    expect(proved).toMatchObject({ state: "succeeded", type: "verify", trigger: "schedule" });
    const record = await operator.call("getBackup", { id: String(job.backup_id) });
    expect(record).toMatchObject({ proved_at: proved.ended_at, proof: { deep: true } });
    await operator.call("putSiteProof", { id: siteId, body: { ...proof, enabled: false } });

    await operator.call("putSiteSchedule", { id: siteId, body: { ...schedule, enabled: false } });
    clock.moveTo(new Date(nextHour.getTime() + hour + minute));
    await stack.scheduler.idle();
    await operator.call("putSiteSchedule", { id: siteId, body: { ...schedule, enabled: true } });
    await operator.call("patchSite", { id: siteId, body: { state: "paused" } });
    clock.moveTo(new Date(nextHour.getTime() + 2 * hour + minute));
    await stack.scheduler.idle();
    await operator.call("patchSite", { id: siteId, body: { state: "active" } });
    await stack.scheduler.idle();
    expect((await fleet.waitForJob(await fleet.start())).state).toBe("succeeded");
    const succeeded = (await jobs()).filter(({ state, type }) => state === "succeeded" && type === "backup");
    expect(succeeded.map(({ trigger }) => trigger).sort()).toEqual(["manual", "schedule"]);
  });
});

/** A scheduled job is made by the node's claim, so it is there only after a while. */
async function waitForListed(
  jobs: () => Promise<Job[]>,
  jobId: string,
  wait: (jobId: string) => Promise<Job>,
): Promise<Job> {
  const deadline = performance.now() + 20_000;
  while (!(await jobs()).some(({ id }) => id === jobId)) {
    if (performance.now() > deadline) throw new Error("the scheduled job did not come");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return await wait(jobId);
}
