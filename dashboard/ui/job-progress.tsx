// A job at work, of any type: how far it is, and which stage it is in.
import type { ReactNode } from "react";
import type { Job, JobType, Stage } from "#shared/contracts/jobs.ts";
import { bytes, duration } from "../lib/format.ts";
import { STAGE_NAMES, STAGE_ORDER } from "../lib/stage-names.ts";
import { Meter } from "./meter.tsx";

/** What is being done, for headings. */
export const JOB_TITLES: Readonly<Record<JobType, string>> = {
  backup: "Backing up",
  restore: "Restoring",
  undo: "Undoing the restore",
  verify: "Verifying a backup",
};

export function JobProgress({ job }: { job: Job }): ReactNode {
  const { progress } = job;
  return (
    <>
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
      {job.type === "backup" ? <BackupStages now={progress?.stage} /> : null}
      {job.type === "backup" || progress === null ? null : (
        <p className="muted">{STAGE_NAMES[progress.stage]}</p>
      )}
    </>
  );
}

/** The last two take no time worth showing. */
const SHOWN = STAGE_ORDER.slice(0, -2);

function BackupStages({ now }: { now: Stage | undefined }): ReactNode {
  return (
    <ol className="stages">
      {SHOWN.map((stage) => (
        <li key={stage} data-state={stateOf(stage, now)}>
          {stateOf(stage, now) === "done" ? "✓" : "·"} {STAGE_NAMES[stage]}
        </li>
      ))}
    </ol>
  );
}

function stateOf(stage: Stage, now: Stage | undefined): "done" | "now" | "later" {
  if (now === undefined) return "later";
  const [at, nowAt] = [STAGE_ORDER.indexOf(stage), STAGE_ORDER.indexOf(now)];
  return at < nowAt ? "done" : at === nowAt ? "now" : "later";
}

function progressText({ type, state, progress, attempt, max_attempts: max }: Job): string {
  if (state === "queued") {
    return attempt === 0
      ? "Waiting for the node to take it"
      : `Waiting for another attempt (${attempt} of ${max})`;
  }
  if (progress === null) return "Starting";
  const part = progress.percent === null ? "" : `${Math.floor(progress.percent)} %: `;
  const of = progress.bytes_total === null ? "" : ` of ${bytes(progress.bytes_total)}`;
  const uploaded = type === "backup" ? `, ${bytes(progress.bytes_uploaded)} uploaded` : "";
  return `${part}${bytes(progress.bytes_done)}${of} read${uploaded}`;
}

function etaText({ progress }: Job): string {
  if (progress === null) return "";
  const speed = progress.bytes_per_second > 0 ? `${bytes(progress.bytes_per_second)}/s` : "";
  const eta = progress.eta_seconds === null ? "" : `about ${duration(progress.eta_seconds)} left`;
  return [speed, eta].filter(Boolean).join(", ");
}
