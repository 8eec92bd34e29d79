// A state as a dot and a word: never by colour alone.
import type { ReactNode } from "react";
import type { JobState } from "#shared/contracts/jobs.ts";
import type { SiteHealth } from "#shared/site-health.ts";

export type Tone = "good" | "warn" | "bad" | "busy" | "quiet";

export function Badge({ tone, children }: { tone: Tone; children: ReactNode }): ReactNode {
  return (
    <span className={`badge ${tone}`}>
      <span className="dot" aria-hidden="true" />
      {children}
    </span>
  );
}

const HEALTHS: Readonly<Record<SiteHealth, readonly [Tone, string]>> = {
  failing: ["bad", "Failing"],
  overdue: ["warn", "Overdue"],
  unprotected: ["warn", "Unprotected"],
  protected: ["good", "Protected"],
  paused: ["quiet", "Paused"],
};

export function HealthBadge({ health }: { health: SiteHealth }): ReactNode {
  const [tone, word] = HEALTHS[health];
  return <Badge tone={tone}>{word}</Badge>;
}

const STATES: Readonly<Record<JobState, readonly [Tone, string]>> = {
  queued: ["busy", "Queued"],
  running: ["busy", "Running"],
  succeeded: ["good", "Succeeded"],
  failed: ["bad", "Failed"],
  skipped: ["warn", "Skipped"],
  cancelled: ["quiet", "Stopped"],
  expired: ["warn", "Expired"],
};

export function JobBadge({ state }: { state: JobState }): ReactNode {
  const [tone, word] = STATES[state];
  return <Badge tone={tone}>{word}</Badge>;
}
