// What an error means for the job that met it, and how it looks in a log. Pure decisions over BackupError.
import type { ErrorReport } from "#shared/contracts/common.ts";
import type { Claim } from "#shared/contracts/jobs.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";

/** `cancelled` and `failed` are reported, `released` goes back to the queue, `lost` is somebody else's by now. */
export type JobEnd = "cancelled" | "failed" | "released" | "lost";

const NOT_OURS_ANY_MORE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["lease_lost", "job_ended"]);

/**
 * How a job ends that threw `error`. Only a job with a message can come again. A person waits for a manual one,
 * so that fails at once.
 */
export function jobEnd(error: BackupError, job: Claim["job"], hasMessage: boolean): JobEnd {
  if (error.code === "cancelled") return "cancelled";
  if (NOT_OURS_ANY_MORE.has(error.code)) return "lost";
  if (error.code === "interrupted") return hasMessage ? "released" : "cancelled";
  const again = error.retry !== "never" && job.trigger === "schedule" && job.attempt < job.max_attempts;
  return hasMessage && again ? "released" : "failed";
}

/** What becomes of a message whose job could not be claimed. */
export type ClaimRefusal = "drop" | "wait" | "try-later";

const DROP: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "job_ended",
  "not_found",
  "not_your_site",
  "site_paused",
  "expired",
]);
const WAIT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["lease_held", "backup_in_progress"]);

/**
 * `drop`: no redelivery can help. `wait`: somebody works on it. `try-later`: everything else, also what looks
 * permanent: after some deliveries the queue's redrive takes it to where the Master says why the job failed.
 */
export function claimRefusal(error: BackupError): ClaimRefusal {
  if (DROP.has(error.code)) return "drop";
  return WAIT.has(error.code) ? "wait" : "try-later";
}

const REFUSES_THIS_REPORT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "lease_lost",
  "job_ended",
  "invalid_request",
  "malformed_json",
  "payload_too_large",
  "not_found",
  "not_your_site",
  "conflict",
]);

/** An archive that S3 does not show after a day is not late but missing. */
const MISSING_OBJECT_PATIENCE_MS = 24 * 3_600_000;

/**
 * Whether the Master will never take this report. What is wrong with the node instead (its token, its clock, a
 * proxy in between) says nothing about the report, which then has to wait.
 */
export function refusesReportForEver(error: BackupError, ageMs: number): boolean {
  if (error.code === "object_missing") return ageMs > MISSING_OBJECT_PATIENCE_MS;
  return REFUSES_THIS_REPORT.has(error.code);
}

/** Seconds the Master asked us to wait, if it did. */
export function retryAfterSeconds(error: BackupError): number | undefined {
  const seconds = error.data?.retry_after_seconds;
  return typeof seconds === "number" ? seconds : undefined;
}

export function toErrorReport(error: BackupError): ErrorReport {
  return { code: error.code, message: error.message.slice(0, 2000), hint: error.hint.slice(0, 1000) };
}

export interface DescribedError {
  readonly message: string;
  readonly code?: string;
  readonly retry?: string;
  readonly hint?: string;
  readonly causes?: readonly string[];
  readonly stack?: string;
}

function codeOf(error: Error): string {
  const code = (error as Error & { code?: unknown }).code;
  return typeof code === "string" ? ` [${code}]` : "";
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let cause: unknown = error.cause;
  while (cause !== undefined && causes.length < 8) {
    if (!(cause instanceof Error)) {
      causes.push(typeof cause === "string" ? cause : Object.prototype.toString.call(cause));
      break;
    }
    causes.push(`${cause.name}: ${cause.message}${codeOf(cause)}`);
    cause = cause.cause;
  }
  return causes;
}

/** Names and messages only: an SDK error drags its request and response along, secrets included. */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { message: String(error) };
  const causes = causesOf(error);
  const chain = causes.length === 0 ? {} : { causes };
  if (!(error instanceof BackupError)) {
    return { message: `${error.name}: ${error.message}`, ...chain, ...stackOf(error) };
  }
  const { code, retry, hint } = error;
  const bug = code === "unexpected" ? stackOf(error.cause) : {};
  return { message: error.message, code, retry, hint, ...chain, ...bug };
}

function stackOf(error: unknown): { stack?: string } {
  return error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
}
