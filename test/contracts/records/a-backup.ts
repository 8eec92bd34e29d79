// A backup's record as test data: of its own site and node unless said otherwise.
import { randomUUID } from "node:crypto";
import type { BackupRecord } from "#functions/core/records.ts";
import { successReport } from "#test/helpers/reports.ts";

export function aBackup(fields: Partial<BackupRecord>): BackupRecord {
  const id = randomUUID();
  const report = successReport({ job: { id, site_id: id }, fencing: 1, s3_path: "/x" }, 1);
  return {
    id,
    job_id: randomUUID(),
    site_id: randomUUID(),
    site_name: "s",
    node_id: randomUUID(),
    trigger: "manual",
    created_at: new Date().toISOString(),
    s3_path: `/${id}`,
    size_bytes: 1,
    archive: report.archive,
    started_at: report.started_at,
    finished_at: report.finished_at,
    stages: [],
    warnings: [],
    warnings_total: 0,
    ...fields,
  };
}
