// What is happening to the site now; or, if the last backup was not made, why not.
import type { ReactNode } from "react";
import type { Job } from "#shared/contracts/jobs.ts";
import { JobBadge } from "../../ui/badge.tsx";
import { JobFailure } from "../../ui/job-failure.tsx";
import { JOB_TITLES, JobProgress } from "../../ui/job-progress.tsx";
import { Panel } from "../../ui/panel.tsx";

export function CurrentJob({ active, last }: { active: Job | null; last: Job | null }): ReactNode {
  if (active !== null) {
    return (
      <Panel title={JOB_TITLES[active.type]} aside={<JobBadge state={active.state} />}>
        <div className="panel-body">
          <JobProgress job={active} />
        </div>
      </Panel>
    );
  }
  if (last === null || last.state === "succeeded" || last.state === "cancelled") return null;
  return <JobFailure job={last} />;
}
