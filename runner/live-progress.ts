// Draws the running job's progress as a terminal's live line, a few times a second.
import type { RunningJob } from "./compose.ts";
import type { Terminal } from "./io/terminal.ts";
import { formatProgress, type Sample, sampleProgress } from "./plan/progress.ts";

const REDRAW_MS = 250;

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
