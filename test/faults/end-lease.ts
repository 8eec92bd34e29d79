// Time that need not pass: a dead runner's lease is over at once, as it would be after some minutes.
import { openRecords } from "#functions/stores/records.ts";
import { hostConfig } from "#test/helpers/stores.ts";

export async function endLease(jobId: string): Promise<void> {
  const records = openRecords(hostConfig());
  const before = await records.jobs.get(jobId);
  if (before?.state !== "running") throw new Error(`job ${jobId} is ${before?.state ?? "not there"}`);
  const after = { ...before, lease_expires_at: before.started_at ?? before.created_at };
  if (!(await records.commit({ jobs: [{ before, after }] }))) throw new Error("its runner is not dead");
}
