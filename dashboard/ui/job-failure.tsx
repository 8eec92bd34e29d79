// Why a job came to nothing, and what to do about it.
import type { ReactNode } from "react";
import type { Job } from "#shared/contracts/jobs.ts";
import { JobBadge } from "./badge.tsx";
import { Ago } from "./time.tsx";

export function JobFailure({ job }: { job: Job }): ReactNode {
  return (
    <div className={`note ${job.state === "failed" ? "bad" : "warn"}`} role="alert">
      <p>
        <JobBadge state={job.state} />{" "}
        <strong>{job.error?.message ?? job.reason ?? "It came to nothing."}</strong>
      </p>
      {job.error?.hint === undefined ? null : <p>{job.error.hint}</p>}
      {job.findings.length === 0 ? null : (
        <ul>
          {job.findings.map(({ code, message }) => (
            <li key={`${code} ${message}`}>{message}</li>
          ))}
        </ul>
      )}
      <p className="muted small">
        {job.error === null ? null : (
          <>
            <code>{job.error.code}</code> ·{" "}
          </>
        )}
        <Ago at={job.ended_at ?? job.created_at} />
      </p>
    </div>
  );
}
