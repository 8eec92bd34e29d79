// What is happening now, stage by stage; or, if the last attempt made no backup, why, and what to do.
import type { ReactNode } from "react";
import type { Job, Stage } from "#shared/contracts/jobs.ts";
import { bytes, duration } from "../../lib/format.ts";
import { STAGE_NAMES, STAGE_ORDER } from "../../lib/stage-names.ts";
import { JobBadge } from "../../ui/badge.tsx";
import { Meter } from "../../ui/meter.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Ago } from "../../ui/time.tsx";

/** The last two take no time worth showing. */
const SHOWN = STAGE_ORDER.slice(0, -2);

export function CurrentJob({ active, last }: { active: Job | null; last: Job | null }): ReactNode {
  if (active !== null) return <ActiveJob job={active} />;
  if (last === null || last.state === "succeeded" || last.state === "cancelled") return null;
  return <FailedJob job={last} />;
}

function ActiveJob({ job }: { job: Job }): ReactNode {
  const { progress } = job;
  return (
    <Panel title="Backing up" aside={<JobBadge state={job.state} />}>
      <div className="panel-body">
        <Meter
          tone="busy"
          value={progress?.percent ?? 0}
          max={100}
          text={
            <>
              <span>{progressText(job)}</span>
              <span className="muted">{etaText(job)}</span>
            </>
          }
        />
        <ol className="stages">
          {SHOWN.map((stage) => (
            <li key={stage} data-state={stateOf(stage, progress?.stage)}>
              {stateOf(stage, progress?.stage) === "done" ? "✓" : "·"} {STAGE_NAMES[stage]}
            </li>
          ))}
        </ol>
      </div>
    </Panel>
  );
}

function progressText({ state, progress, attempt, max_attempts: max }: Job): string {
  if (state === "queued") {
    return attempt === 0
      ? "Waiting for the node to take it"
      : `Waiting for another attempt (${attempt} of ${max})`;
  }
  if (progress === null) return "Starting";
  const of = progress.bytes_total === null ? "" : ` of ${bytes(progress.bytes_total)}`;
  return `${bytes(progress.bytes_done)}${of} read, ${bytes(progress.bytes_uploaded)} uploaded`;
}

function etaText({ progress }: Job): string {
  if (progress === null) return "";
  const speed = progress.bytes_per_second > 0 ? `${bytes(progress.bytes_per_second)}/s` : "";
  const eta = progress.eta_seconds === null ? "" : `about ${duration(progress.eta_seconds)} left`;
  return [speed, eta].filter(Boolean).join(", ");
}

function stateOf(stage: Stage, now: Stage | undefined): "done" | "now" | "later" {
  if (now === undefined) return "later";
  const [at, nowAt] = [STAGE_ORDER.indexOf(stage), STAGE_ORDER.indexOf(now)];
  return at < nowAt ? "done" : at === nowAt ? "now" : "later";
}

function FailedJob({ job }: { job: Job }): ReactNode {
  const tone = job.state === "failed" ? "bad" : "warn";
  return (
    <div className={`note ${tone}`} role="alert">
      <p>
        <JobBadge state={job.state} />{" "}
        <strong>{job.error?.message ?? job.reason ?? "No backup was made."}</strong>
      </p>
      {job.error?.hint === undefined ? null : <p>{job.error.hint}</p>}
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
