// What the Master counts, and what of it follows from a decision about jobs. There is one time series for each name, or
// for each value of `by`: CloudWatch bills by series, so nothing is counted by site, node or operation (the log has those).
import { hasEnded, type Step } from "./job-state.ts";
import type { JobRecord } from "./records.ts";

export interface MetricKind {
  readonly unit: "Count" | "Milliseconds" | "Seconds";
  readonly by?: "code" | "chore";
}

export const METRICS = {
  Requests: { unit: "Count" },
  RequestMs: { unit: "Milliseconds" },
  RequestErrors: { unit: "Count", by: "code" },
  Replays: { unit: "Count" },
  JobsStarted: { unit: "Count" },
  JobsSucceeded: { unit: "Count" },
  JobsFailed: { unit: "Count" },
  JobsExpired: { unit: "Count" },
  QuotaSkips: { unit: "Count" },
  DeadLetters: { unit: "Count" },
  AlertsOpened: { unit: "Count" },
  ChoreSeconds: { unit: "Seconds", by: "chore" },
  ChoreFailures: { unit: "Count", by: "chore" },
} as const satisfies Record<string, MetricKind>;
export type MetricName = keyof typeof METRICS;

export interface Count {
  readonly name: MetricName;
  readonly value: number;
  /** The value of the metric's dimension, if it has one. */
  readonly by?: string;
}

/** What became of jobs by this step. */
export function countsOf(step: Step): Count[] {
  return step.jobs.flatMap(({ before, after }) => {
    if (before !== undefined && before.state === after.state) return [];
    const name = nameOf(after);
    return name === undefined ? [] : [{ name, value: 1 }];
  });
}

function nameOf(job: JobRecord): MetricName | undefined {
  if (!hasEnded(job.state)) return job.state === "running" ? "JobsStarted" : undefined;
  if (job.state === "succeeded") return "JobsSucceeded";
  if (job.state === "failed") return "JobsFailed";
  if (job.state === "expired") return "JobsExpired";
  // The quota is the one reason that a runner itself has to skip a backup.
  return job.state === "skipped" && job.reported === true ? "QuotaSkips" : undefined;
}
