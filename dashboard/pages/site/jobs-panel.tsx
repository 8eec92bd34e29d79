// What was tried, also what came to nothing.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Job, JobType } from "#shared/contracts/jobs.ts";
import { useList } from "../../api/hooks.ts";
import { duration } from "../../lib/format.ts";
import { bootInWords } from "../../lib/proof-words.ts";
import { JobBadge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Panel, Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";

export function JobsPanel({ siteId }: { siteId: string }): ReactNode {
  const jobs = useList("listJobs", { query: { site_id: siteId }, pageSize: 20 });
  return (
    <Panel title="Jobs">
      {jobs.error === null ? null : <FaultNote fault={jobs.error} onRetry={jobs.refetch} />}
      {jobs.isPending && jobs.error === null ? <Skeleton rows={3} /> : null}
      {jobs.items.length === 0 ? null : (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th>State</th>
                <th>What</th>
                <th>Begun</th>
                <th className="num">Took</th>
                <th>Why</th>
                <th>Outcome</th>
              </tr>
            </thead>
            <tbody>
              {jobs.items.map((job) => (
                <JobRow key={job.id} job={job} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {jobs.hasNextPage ? (
        <div className="panel-body">
          <Button busy={jobs.isFetchingNextPage} onClick={() => void jobs.fetchNextPage()}>
            Show older jobs
          </Button>
        </div>
      ) : null}
    </Panel>
  );
}

function JobRow({ job }: { job: Job }): ReactNode {
  const { started_at: start, ended_at: end } = job;
  return (
    <tr>
      <td>
        <JobBadge state={job.state} />
      </td>
      <td>{TYPES[job.type]}</td>
      <td className="nowrap">
        <Moment at={start ?? job.created_at} />
      </td>
      <td className="num">
        {start === null || end === null ? "" : duration((Date.parse(end) - Date.parse(start)) / 1000)}
      </td>
      <td className="nowrap">{job.trigger === "manual" ? "By hand" : "Schedule"}</td>
      <td>
        <JobOutcome job={job} />
      </td>
    </tr>
  );
}

const TYPES: Readonly<Record<JobType, string>> = {
  backup: "Backup",
  restore: "Restore",
  undo: "Undo of a restore",
  verify: "Verification",
};

function JobOutcome({ job }: { job: Job }): ReactNode {
  const backupId = job.backup_id ?? job.source_backup_id;
  const proof = job.result?.verify;
  return (
    <>
      {backupId === null ? null : <Link href={`/backups/${backupId}`}>Backup </Link>}
      {proof === undefined ? null : bootInWords(proof)}
      {job.error === null && job.reason === null ? null : (
        <>
          {job.error?.message ?? job.reason ?? ""} <span className="muted">{job.error?.hint ?? ""}</span>
        </>
      )}
    </>
  );
}
