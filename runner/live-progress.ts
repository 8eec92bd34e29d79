// Shows the running job's progress: to a person as a terminal's live line, to a machine as an event per second.
import type { RunningJob } from "./compose.ts";
import type { Log } from "./io/log.ts";
import type { Terminal } from "./io/terminal.ts";
import { formatProgress, type Sample, sampleProgress } from "./plan/progress.ts";

const REDRAW_MS = 250;
const TELL_MS = 1000;

/** Nothing happens where there is no terminal. Disposing removes the line. */
export function showProgress(terminal: Terminal, runningJob: () => RunningJob | undefined): Disposable {
  if (!terminal.isLive) return { [Symbol.dispose]: () => undefined };
  let shown: RunningJob | undefined;
  let last: Sample | undefined;
  const timer = setInterval(() => {
    const job = runningJob();
    if (job !== shown) last = undefined;
    shown = job;
    if (job === undefined) {
      terminal.live(undefined);
      return;
    }
    last = sampleProgress(job.counters, performance.now(), last);
    terminal.live(formatProgress(job.claim.job.site_name, last.progress, terminal.columns - 1));
  }, REDRAW_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      terminal.live(undefined);
    },
  };
}

/** `progress` events with what the Master is told of the job, for as long as one runs. */
export function tellProgress(log: Log, runningJob: () => RunningJob | undefined): Disposable {
  let last: Sample | undefined;
  let told: RunningJob | undefined;
  const timer = setInterval(() => {
    const job = runningJob();
    if (job !== told) last = undefined;
    told = job;
    if (job === undefined) return;
    last = sampleProgress(job.counters, performance.now(), last);
    const { id: job_id, site_id, correlation_id } = job.claim.job;
    log.info("progress", { job_id, site_id, correlation_id: correlation_id ?? job_id, ...last.progress });
  }, TELL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
