// A verification as a job: the archive is read back, and what is wrong with it goes to its record.
import type { Finding, JobReport, VerifyResult } from "#shared/contracts/restores.ts";
import { BackupError } from "#shared/errors.ts";
import { systemClock } from "./clock.ts";
import type { JobContext, RunJob } from "./context.ts";
import { countInto, jobReportBase, openClaimedArchive } from "./job-report.ts";
import { toErrorReport } from "./plan/error-class.ts";
import { type VerifiedBackup, verify } from "./verify.ts";

export const runVerifyJob: RunJob = async (job: JobContext): Promise<JobReport> => {
  const startedAt = job.now();
  const { request } = job.claim.job;
  if (request?.type === "verify" && request.deep) {
    throw new BackupError("job_type_unknown", { detail: "this backupd cannot make deep verifications" });
  }
  job.stages.enter("read");
  const verified = await verify(() => openClaimedArchive(job), {
    signal: job.signal,
    clock: systemClock,
    onProgress: countInto(job),
  });
  const base = jobReportBase(job, startedAt);
  const [first] = verified.findings;
  if (first === undefined) return { ...base, status: "success", verify: resultOf(verified) };
  return { ...base, status: "failed", error: damaged(first), findings: [...verified.findings] };
};

function damaged({ message }: Finding): ReturnType<typeof toErrorReport> {
  return toErrorReport(new BackupError("archive_corrupt", { detail: message }));
}

function resultOf(verified: VerifiedBackup): VerifyResult {
  const { bytesRead, requests, files, filesBytes, dbBytes, tables, frames, entries } = verified;
  return {
    bytes_downloaded: bytesRead,
    requests,
    files,
    files_bytes: filesBytes,
    db_bytes: dbBytes,
    tables,
    deep: false,
    frames,
    entries,
    rows: null,
    restore_seconds: null,
    boot_status: null,
  };
}
