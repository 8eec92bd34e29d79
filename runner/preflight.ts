// Everything of a backup that can be known to fail before anything is read or sent.
import { BackupError } from "#shared/errors.ts";
import { formatBytes } from "#shared/units.ts";
import type { JobContext } from "./context.ts";
import { refuseHalfRestored } from "./half-restored.ts";
import { freeBytes } from "./io/disk.ts";
import { type LookedAt, lookAtSite } from "./look-at-site.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** Room that stays free for everybody else on the node. */
const SPARE_DISK_BYTES = 64 * 1024 * 1024;

/** What of a job is needed here. */
export type PreflightJob = Pick<
  JobContext,
  "restoresDir" | "site" | "siteEnvFile" | "spoolDir" | "begun" | "signal"
>;

/** @throws BackupError `restore_not_reverted`, `disk_full`, and as lookAtSite; the signal's reason. */
export async function preflight(job: PreflightJob): Promise<LookedAt> {
  await refuseHalfRestored(job);
  const { path } = job.site;
  // What was begun before the job knows nothing of its end.
  const { site, facts } =
    job.begun === undefined
      ? await lookAtSite({ path, siteEnvFile: job.siteEnvFile }, job.signal)
      : await unlessAborted(job.begun.lookedAt, job.signal);
  // A dump of text is larger than the tables and its compressed spool much smaller; half is on the safe side.
  const neededBytes = facts.dataBytes / 2 + SPARE_DISK_BYTES;
  const free = await freeBytes(job.spoolDir);
  if (free < neededBytes) {
    const detail = `The dump may need ${formatBytes(neededBytes)} in ${job.spoolDir}; ${formatBytes(free)} are free`;
    throw new BackupError("disk_full", { detail });
  }
  return { site, facts };
}
