// How a runner's report ends a restore, an undo or a verification, and what a verification says of its backup. Only
// the holder of the newest lease is believed, also late, as with backups.
import type { JobReport, VerifyResult } from "#shared/contracts/restores.ts";
import type { BackupError } from "#shared/errors.ts";
import { type BackupMark, endJob, endStep, refuse, type Step } from "./job-state.ts";
import type { BackupRecord, JobRecord, SiteRecord } from "./records.ts";
import { invalid, mayReport } from "./report-job.ts";
import { leaseLost } from "./steer-job.ts";

const STATE_OF = { success: "succeeded", failed: "failed", cancelled: "cancelled" } as const;
/** Enough to see what is wrong; the runner's log has them all. */
export const FINDINGS_KEPT = 20;

/** The very report that ended the job, once more. */
export function isRepeatedOutcome(job: JobRecord, report: JobReport): boolean {
  return job.reported === true && job.fencing === report.fencing && job.state === STATE_OF[report.status];
}

export interface OutcomeInput {
  readonly job: JobRecord;
  readonly site: SiteRecord;
  /** The backup that was verified, if it still exists. */
  readonly source: BackupRecord | undefined;
  readonly report: JobReport;
  readonly activityId: string;
}

/** Refuses without a write, or ends the job with the report's outcome and marks the backup it was about. */
export function reportOutcome(input: OutcomeInput, now: Date): Step {
  const { job, site, source, report } = input;
  const wrong = faultOf(job, report);
  if (wrong !== undefined) return refuse(wrong);
  if (!mayReport(job, report.fencing)) return refuse(leaseLost(job));
  const after: JobRecord = {
    ...endJob(job, STATE_OF[report.status], now, { ...whyOf(report), reported: true }),
    stages: report.stages,
    warnings: report.warnings,
    warnings_total: Math.max(report.warnings_total, report.warnings.length),
    ...resultOf(report),
  };
  const step = endStep({ before: job, after }, site);
  if (job.type !== "verify" || source === undefined) return step;
  if (report.status === "success" && report.verify !== undefined) {
    const mark = markGood(source, report.verify, now);
    return { ...(report.verify.deep ? siteProved(step, now) : step), mark };
  }
  if (report.status === "failed" && report.findings.length > 0) {
    return { ...step, ...markBad(input, source, report, now) };
  }
  return step;
}

/** Kept on the site, too, so that the watch need not look through backups. */
function siteProved(step: Step, now: Date): Step {
  if (step.site === undefined) return step;
  const { before, after } = step.site;
  return { ...step, site: { before, after: { ...after, last_proved_at: now.toISOString() } } };
}

function faultOf(job: JobRecord, report: JobReport): BackupError | undefined {
  if (job.type === "backup") return invalid("status", "belongs to POST /backups: the job is a backup");
  if (job.site_id !== report.site_id) return invalid("site_id", "is not the site of that job");
  if (report.status !== "success") return undefined;
  const wanted = job.type === "verify" ? "verify" : "restore";
  return report[wanted] === undefined ? invalid(wanted, "is missing in the report of a success") : undefined;
}

function whyOf(report: JobReport): Pick<JobRecord, "reason" | "error"> {
  if (report.status === "failed") return { error: report.error };
  return report.status === "cancelled" ? { reason: "Stopped on request." } : {};
}

function resultOf(report: JobReport): Pick<JobRecord, "result" | "findings"> {
  if (report.status === "cancelled") return {};
  if (report.status === "failed") return { findings: report.findings.slice(0, FINDINGS_KEPT) };
  const { restore, verify } = report;
  return {
    result: { ...(restore === undefined ? {} : { restore }), ...(verify === undefined ? {} : { verify }) },
  };
}

export function markGood(backup: BackupRecord, verify: VerifyResult, now: Date): BackupMark {
  const at = now.toISOString();
  const failed = backup.verification_failed;
  // That the frames are whole does not take back that the dump did not import.
  const clears = failed !== undefined && (verify.deep || !failed.deep);
  return {
    backup,
    set: { verified_at: at, ...(verify.deep ? { proved_at: at, proof: verify } : {}) },
    ...(clears ? { remove: ["verification_failed"] } : {}),
  };
}

/** A failure without findings (no network, no server program) says nothing about the backup. */
function markBad(
  { job, site, report, activityId }: OutcomeInput,
  backup: BackupRecord,
  { error, findings }: JobReport & { status: "failed" },
  now: Date,
): Pick<Step, "mark" | "activity"> {
  const at = now.toISOString();
  const deep = job.request?.type === "verify" && job.request.deep;
  const kept = findings.slice(0, FINDINGS_KEPT);
  const failed = { at, job_id: job.id, deep, error, findings: kept };
  return {
    mark: { backup, set: { verification_failed: failed } },
    activity: {
      id: activityId,
      ...(site.tenant === undefined ? {} : { tenant: site.tenant }),
      at,
      actor: { kind: "node", id: job.node_id, label: "backupd" },
      action: "backup.verification_failed",
      target: { kind: "backup", id: backup.id },
      details: { site_id: report.site_id, job_id: job.id, deep, error, findings: kept.slice(0, 3) },
    },
  };
}
