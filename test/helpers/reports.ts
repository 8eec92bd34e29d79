// Reports as a runner would send them.
import type { z } from "zod";
import type { FailureReport, SuccessReport } from "#shared/contracts/backups.ts";
import type { Claim } from "#shared/contracts/jobs.ts";

type ClaimOf = Pick<Claim, "fencing" | "s3_path"> & { readonly job: { id: string; site_id: string } };

const common = (claim: ClaimOf) => ({
  job_id: claim.job.id,
  site_id: claim.job.site_id,
  fencing: claim.fencing,
  started_at: "2030-01-01T00:00:00.000Z",
  finished_at: "2030-01-01T00:01:00.000Z",
  stages: [{ name: "dump" as const, seconds: 1.5 }],
});

export function successReport(claim: ClaimOf, sizeBytes: number): z.input<typeof SuccessReport> {
  return {
    ...common(claim),
    status: "success",
    size_bytes: sizeBytes,
    s3_path: claim.s3_path,
    archive: {
      sha256_dump: "0".repeat(64),
      etag: '"etag"',
      frames: 1,
      tar_bytes: 10_240,
      bytes_uploaded: sizeBytes,
      bytes_copied: 0,
      files: 3,
      entries: 5,
      files_bytes: 1000,
      db_bytes: 500,
    },
  };
}

export function failureReport(claim: ClaimOf, code = "dump_failed"): z.input<typeof FailureReport> {
  return { ...common(claim), status: "failed", error: { code, message: "it broke" } };
}
