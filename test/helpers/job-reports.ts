// Reports of restores and verifications as a runner would send them.
import type { z } from "zod";
import type { Claim } from "#shared/contracts/jobs.ts";
import type { Finding, JobReport, RestoreResult, VerifyResult } from "#shared/contracts/restores.ts";

type JobReportInput = z.input<typeof JobReport>;

const common = (claim: Claim) => ({
  site_id: claim.job.site_id,
  fencing: claim.fencing,
  started_at: "2030-01-01T00:00:00.000Z",
  finished_at: "2030-01-01T00:01:00.000Z",
  stages: [{ name: "extract", seconds: 1.5 }],
});

const READ = { bytes_downloaded: 7, requests: 2, files: 1, files_bytes: 3, db_bytes: 4, tables: 12 };

export const RESTORED: RestoreResult = {
  ...READ,
  dry_run: false,
  undo_until: "2030-01-08T00:00:00.000Z",
  kept_bytes: 100,
  url_change: null,
  sample: ["wp-config.php"],
};

export function verified(deep: boolean): VerifyResult {
  const proved = deep ? { rows: 42, restore_seconds: 3.5 } : { rows: null, restore_seconds: null };
  return {
    ...READ,
    deep,
    frames: 2,
    entries: 3,
    boot_status: null,
    boot_seconds: null,
    boot_skipped: null,
    ...proved,
  };
}

export function restoreReport(claim: Claim): JobReportInput {
  return { ...common(claim), status: "success", restore: RESTORED };
}

export function verifyReport(claim: Claim, deep: boolean): JobReportInput {
  return { ...common(claim), status: "success", verify: verified(deep) };
}

export function cancelReport(claim: Claim): JobReportInput {
  return { ...common(claim), status: "cancelled" };
}

export function failReport(claim: Claim, findings: Finding[] = []): JobReportInput {
  const error = { code: "archive_corrupt", message: "a frame is damaged" };
  return { ...common(claim), status: "failed", error, findings };
}
