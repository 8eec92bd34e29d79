// The id of a scheduled job, which the Master and the runner both derive: redelivered messages, and the second
// attempt of EventBridge Scheduler, must all mean one job. It is made of the site and the scheduled time only:
// Scheduler gives every delivery attempt an execution id of its own.
import { v5 } from "uuid";

const NAMESPACE = "8f4c6a52-3e0b-5d1c-9a57-2b7d1e60c4f3";

/**
 * `scheduledTime` in any ISO 8601 spelling of the instant (AWS leaves the milliseconds out). A backup and a proof that
 * are due at the same time are two jobs.
 */
export function jobIdFor(
  siteId: string,
  scheduledTime: string,
  type: "backup" | "verify" = "backup",
): string {
  const name = `${siteId}/${new Date(scheduledTime).toISOString()}`;
  return v5(type === "backup" ? name : `${name}/${type}`, NAMESPACE);
}

/** A job makes one backup at most, so the backup's id follows from the job's: a repeated report cannot make two. */
export function backupIdFor(jobId: string): string {
  return v5(`${jobId}/backup`, NAMESPACE);
}

/** Of an archive whose job nobody knows any more: found twice, it is one backup all the same. */
export function jobIdOfPath(s3Path: string): string {
  return v5(`path/${s3Path}`, NAMESPACE);
}
