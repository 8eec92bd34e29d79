// Time that need not pass: a dead runner's lease is over at once, as it would be after some minutes.
import { setTimeout as delay } from "node:timers/promises";
import type { JobRecord } from "#functions/core/records.ts";
import { openRecords } from "#functions/stores/records.ts";
import { hostConfig } from "#test/helpers/stores.ts";
import { until } from "./hold.ts";

/** Longer than a call takes that the runner had sent when it died or was stopped. */
const LAST_CALL_MS = 200;

export async function endLease(jobId: string): Promise<void> {
  const records = openRecords(hostConfig());
  const read = async (): Promise<JobRecord> => {
    const job = await records.jobs.get(jobId);
    if (job?.state !== "running") throw new Error(`job ${jobId} is ${job?.state ?? "not there"}`);
    return job;
  };
  await until(`the lease of ${jobId} to be left alone`, async () => {
    const before = await read();
    await delay(LAST_CALL_MS);
    if ((await read()).version !== before.version) return false;
    const after = { ...before, lease_expires_at: before.started_at ?? before.created_at };
    return await records.commit({ jobs: [{ before, after }] });
  });
}
