// The next five runs as the clocks of the schedule's zone show them, by the very rules that the Scheduler runs by.
import { type ReactNode, useMemo } from "react";
import type { Schedule } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import { runsOf } from "../../lib/next-run.ts";
import { useNow } from "../../lib/use-now.ts";
import { Ago } from "../../ui/time.tsx";

const COUNT = 5;

interface NextRunsProps {
  readonly schedule: Schedule;
  /** What a rate counts from. */
  readonly anchor: string;
}

export function NextRuns({ schedule, anchor }: NextRunsProps): ReactNode {
  const now = useNow();
  const { expression, time_zone: zone } = schedule;
  const preview = useMemo(() => previewOf(expression, zone, anchor, now), [expression, zone, anchor, now]);
  if ("problem" in preview) {
    return (
      <div className="note warn" role="status">
        <p>{preview.problem}</p>
        <p className="muted">{preview.hint}</p>
      </div>
    );
  }
  const { runs } = preview;
  return (
    <section aria-label="Next runs" className="preview">
      <h3>{schedule.enabled ? "Next runs" : "Would run next"}</h3>
      {runs.length === 0 ? <p className="muted">None: it is over.</p> : null}
      <ol>
        {runs.map((run) => (
          <li key={run.getTime()}>
            <span>{formatIn(zone, run)}</span>
            <span className="muted">
              <Ago at={run} />
            </span>
          </li>
        ))}
      </ol>
      <p className="muted small">
        {zone}
        {schedule.flexible_minutes > 0
          ? `, each begins within ${schedule.flexible_minutes} min after that`
          : ""}
      </p>
    </section>
  );
}

type Preview = { readonly runs: readonly Date[] } | { readonly problem: string; readonly hint: string };

function previewOf(expression: string, zone: string, anchor: string, now: Date): Preview {
  try {
    return { runs: runsOf({ expression, time_zone: zone }, anchor, now, COUNT) };
  } catch (error) {
    if (error instanceof BackupError) return { problem: error.message, hint: error.hint };
    throw error;
  }
}

function formatIn(timeZone: string, at: Date): string {
  return new Intl.DateTimeFormat(undefined, {
    timeZone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
}
