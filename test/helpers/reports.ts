// Reports as a runner would send them.
import type { z } from "zod";
import type { Archive, FailureReport, SuccessReport } from "#shared/contracts/backups.ts";
import type { Claim } from "#shared/contracts/jobs.ts";
import { archiveFacts } from "./archive-facts.ts";

type ClaimOf = Pick<Claim, "fencing" | "s3_path"> & { readonly job: { id: string; site_id: string } };

const common = (claim: ClaimOf) => ({
  job_id: claim.job.id,
  site_id: claim.job.site_id,
  fencing: claim.fencing,
  started_at: "2030-01-01T00:00:00.000Z",
  finished_at: "2030-01-01T00:01:00.000Z",
  stages: [{ name: "dump" as const, seconds: 1.5 }],
});

export function successReport(
  claim: ClaimOf,
  sizeBytes: number,
  archive: Partial<Archive> = {},
): z.input<typeof SuccessReport> & { readonly archive: Archive } {
  return {
    ...common(claim),
    status: "success",
    size_bytes: sizeBytes,
    s3_path: claim.s3_path,
    archive: archiveFacts({ bytes_uploaded: sizeBytes, ...archive }),
  };
}

export function failureReport(claim: ClaimOf, code = "dump_failed"): z.input<typeof FailureReport> {
  return { ...common(claim), status: "failed", error: { code, message: "it broke" } };
}
