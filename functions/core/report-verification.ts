// What a verification by hand, on the node's own command line, says of its backup: the same as one by a job, but for the job.
import type { VerificationReport } from "#shared/contracts/restores.ts";
import type { Step } from "./job-state.ts";
import type { ActivityRecord, BackupRecord, SiteRecord } from "./records.ts";
import { FINDINGS_KEPT, markGood } from "./report-outcome.ts";

export interface VerificationInput {
  readonly backup: BackupRecord;
  /** Undefined if it was removed. */
  readonly site: SiteRecord | undefined;
  readonly report: VerificationReport;
  readonly activityId: string;
}

export function reportVerification({ backup, site, report, activityId }: VerificationInput, now: Date): Step {
  const at = now.toISOString();
  const activity = (action: string, details: ActivityRecord["details"]): ActivityRecord => ({
    id: activityId,
    ...(site?.tenant === undefined ? {} : { tenant: site.tenant }),
    at,
    actor: { kind: "node", id: backup.node_id, label: "backupd" },
    action,
    target: { kind: "backup", id: backup.id },
    details: { site_id: backup.site_id, ...details },
  });
  if (report.status === "good") {
    const { verify } = report;
    const proved = site !== undefined && verify.deep;
    return {
      jobs: [],
      mark: markGood(backup, verify, now),
      activity: activity("backup.verified", { deep: verify.deep, boot_status: verify.boot_status }),
      ...(proved ? { site: { before: site, after: { ...site, last_proved_at: at } } } : {}),
    };
  }
  const { deep, findings } = report;
  const kept = findings.slice(0, FINDINGS_KEPT);
  const [first] = findings;
  const code = first?.code === "archive_corrupt" ? "archive_corrupt" : "proof_failed";
  const error = { code, message: first?.message ?? "" };
  return {
    jobs: [],
    mark: { backup, set: { verification_failed: { at, deep, error, findings: kept } } },
    activity: activity("backup.verification_failed", { deep, error, findings: kept.slice(0, 3) }),
  };
}
