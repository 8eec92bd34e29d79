// What a running job shows of itself: the Master gets it with each lease renewal and a terminal shows it as one
// line. Pure: both sample the same counters with their own clock.
import type { Progress, Stage } from "#shared/contracts/jobs.ts";
import { formatBytes, formatSeconds } from "#shared/units.ts";

/** Bumped by the job as it works; read by whoever wants to show it. */
export interface ProgressCounters {
  stage: Stage;
  /** Bytes of the site read so far: the dump's and the files'. */
  bytesDone: number;
  /** null until the walk has said how much there is. */
  bytesTotal: number | null;
  /** Bytes the storage has taken. */
  bytesUploaded: number;
}

export function newCounters(): ProgressCounters {
  return { stage: "preflight", bytesDone: 0, bytesTotal: null, bytesUploaded: 0 };
}

/** A look at the counters at one instant; the next look needs it for the speed. */
export interface Sample {
  readonly atMs: number;
  readonly bytesDone: number;
  readonly speed: Smoothed;
  readonly progress: Progress;
}

/** Seconds over which the speed is smoothed: long enough to be calm, short enough to see a stall. */
const SMOOTHING_SECONDS = 3;

/** Past speeds, the older ones fading out exponentially; `mass` is how much past there is, from 0 to 1. */
interface Smoothed {
  readonly sum: number;
  readonly mass: number;
}

const NOTHING_SEEN: Smoothed = { sum: 0, mass: 0 };

function smooth(previous: Smoothed, observed: number, seconds: number): Smoothed {
  const kept = Math.exp(-seconds / SMOOTHING_SECONDS);
  return { sum: previous.sum * kept + observed * (1 - kept), mass: previous.mass * kept + (1 - kept) };
}

/** The counters at `nowMs` (any monotonic milliseconds) with speed and time left. */
export function sampleProgress(
  counters: Readonly<ProgressCounters>,
  nowMs: number,
  previous: Sample | undefined,
): Sample {
  const { stage, bytesDone, bytesTotal, bytesUploaded } = counters;
  const seconds = previous === undefined ? 0 : (nowMs - previous.atMs) / 1000;
  let speed = previous?.speed ?? NOTHING_SEEN;
  if (previous !== undefined && seconds > 0) {
    speed = smooth(speed, Math.max(0, bytesDone - previous.bytesDone) / seconds, seconds);
  }
  const bytesPerSecond = speed.mass === 0 ? 0 : speed.sum / speed.mass;
  const known = bytesTotal !== null && bytesTotal > 0;
  const percent = known ? Math.min(100, (bytesDone / bytesTotal) * 100) : null;
  const left = known ? Math.max(0, bytesTotal - bytesDone) : null;
  const eta = left === null || bytesPerSecond < 1 ? null : left / bytesPerSecond;
  return {
    atMs: nowMs,
    bytesDone,
    speed,
    progress: {
      stage,
      bytes_done: bytesDone,
      bytes_total: bytesTotal,
      bytes_uploaded: bytesUploaded,
      percent: percent === null ? null : Math.round(percent * 10) / 10,
      bytes_per_second: Math.round(bytesPerSecond),
      eta_seconds: eta === null ? null : Math.round(eta),
    },
  };
}

/** One terminal line, never longer than `columns`: what does not fit is left out from the end. */
export function formatProgress(label: string, progress: Progress, columns: number): string {
  const { percent, eta_seconds: eta } = progress;
  const done = formatBytes(progress.bytes_done);
  const parts = [
    progress.stage,
    percent === null ? undefined : `${percent.toFixed(1)}%`,
    progress.bytes_total === null ? done : `${done} of ${formatBytes(progress.bytes_total)}`,
    `${formatBytes(progress.bytes_per_second)}/s`,
    eta === null ? undefined : `${formatSeconds(eta)} left`,
  ].filter((part) => part !== undefined);
  let line = label;
  for (const part of parts) {
    const longer = `${line}  ${part}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return line.slice(0, Math.max(0, columns));
}
