// A verification as a job: the archive is read back, or if the job says so restored and compared, and what is wrong with
// it goes to its record.
import type { Finding, JobReport } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { systemClock } from "./clock.ts";
import type { JobContext, RunJob } from "./context.ts";
import { countInto, jobReportBase, openClaimedArchive } from "./job-report.ts";
import { toErrorReport } from "./plan/error-class.ts";
import { prove } from "./prove.ts";
import { type VerifiedBackup, verify } from "./verify.ts";
import { resultOf } from "./verify-result.ts";

export const runVerifyJob: RunJob = async (job: JobContext): Promise<JobReport> => {
  const startedAt = job.now();
  const { request } = job.claim.job;
  const { deep: isDeep, boot } = request?.type === "verify" ? request : { deep: false, boot: false };
  const verified = isDeep ? await proveFor(job, boot) : await verifyFor(job);
  const warnings = [...(verified.proof?.warnings ?? [])];
  const base = { ...jobReportBase(job, startedAt), warnings, warnings_total: warnings.length };
  const [first] = verified.findings;
  if (first === undefined) return { ...base, status: "success", verify: resultOf(verified) };
  const findings = [...verified.findings];
  return { ...base, status: "failed", error: toErrorReport(failureOf(first)), findings };
};

async function verifyFor(job: JobContext): Promise<VerifiedBackup> {
  job.stages.enter("read");
  return await verify(() => openClaimedArchive(job), {
    signal: job.signal,
    clock: systemClock,
    onProgress: countInto(job),
  });
}

async function proveFor(job: JobContext, boot: boolean): Promise<VerifiedBackup> {
  return await prove(() => openClaimedArchive(job), {
    signal: job.signal,
    clock: systemClock,
    onProgress: countInto(job),
    scratchDir: job.spoolDir,
    enter: (stage) => job.stages.enter(stage),
    ...(boot ? { boot: { live: async () => ({ path: job.site.path, siteEnvFile: job.siteEnvFile }) } } : {}),
  });
}

/** An archive may be as it was made, and yet not be restored. */
function failureOf({ code, message }: Finding): BackupError {
  return new BackupError(code === "archive_corrupt" ? code : "proof_failed", { detail: message });
}
