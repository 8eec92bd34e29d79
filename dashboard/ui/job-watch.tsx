// Follows one job to its end inside a dialog, and shows what came of it.

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import type { Job } from "#shared/contracts/jobs.ts";
import type { OperationId } from "#shared/operations.ts";
import { useCall } from "../api/hooks.ts";
import { duration } from "../lib/format.ts";
import { FaultNote } from "./fault-view.tsx";
import { JobFailure } from "./job-failure.tsx";
import { JobProgress } from "./job-progress.tsx";
import { Skeleton } from "./panel.tsx";

const LOOK_MS = 1_000;
const CHANGED_BY_A_JOB: readonly OperationId[] = [
  "getBackup",
  "listJobs",
  "listBackups",
  "getBackupStatus",
  "getSite",
];

interface JobWatchProps {
  readonly jobId: string;
  /** What is shown once it has succeeded. */
  readonly children: (job: Job) => ReactNode;
}

export function JobWatch({ jobId, children }: JobWatchProps): ReactNode {
  const cache = useQueryClient();
  const job = useCall(
    "getJob",
    { params: { id: jobId } },
    { everyMs: (known) => (known === undefined || !hasEnded(known) ? LOOK_MS : 60_000) },
  );
  const isOver = job.data !== undefined && hasEnded(job.data);
  useEffect(() => {
    if (isOver) for (const old of CHANGED_BY_A_JOB) void cache.invalidateQueries({ queryKey: [old] });
  }, [isOver, cache]);
  if (job.error !== null && job.data === undefined)
    return <FaultNote fault={job.error} onRetry={job.refetch} />;
  if (job.data === undefined) return <Skeleton rows={2} />;
  if (!isOver) return <JobProgress job={job.data} />;
  if (job.data.state !== "succeeded") return <JobFailure job={job.data} />;
  return (
    <div className="note good" role="status">
      {children(job.data)}
      <p className="muted small">{tookText(job.data)}</p>
    </div>
  );
}

export function hasEnded({ state }: Job): boolean {
  return state !== "queued" && state !== "running";
}

function tookText({ started_at: start, ended_at: end }: Job): string {
  return start === null || end === null
    ? ""
    : `In ${duration((Date.parse(end) - Date.parse(start)) / 1000)}.`;
}
