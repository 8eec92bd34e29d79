// Follows a job from outside, as an operator would, through the API: one live line at a terminal, a line per stage
// otherwise.
import { setTimeout as delay } from "node:timers/promises";
import type { MasterClient } from "#runner/io/master-client.ts";
import type { Terminal } from "#runner/io/terminal.ts";
import { formatProgress } from "#runner/plan/progress.ts";
import type { Job } from "#shared/contracts/jobs.ts";

const POLL_MS = 150;
const ENDED: ReadonlySet<Job["state"]> = new Set(["succeeded", "failed", "skipped", "cancelled", "expired"]);

/** Resolves with the job when it has ended, however. `checkRunner` throws when nobody is there to do the work. */
export async function watchBackup(
  operator: MasterClient,
  jobId: string,
  terminal: Terminal,
  checkRunner: () => void,
): Promise<Job> {
  let shown = "";
  for (;;) {
    const job = await operator.call("getJob", { params: { id: jobId } });
    if (ENDED.has(job.state)) {
      terminal.live(undefined);
      return job;
    }
    checkRunner();
    const step = job.progress === null ? job.state : job.progress.stage;
    const line =
      job.progress === null ? `  ${job.state}` : formatProgress(" ", job.progress, terminal.columns - 1);
    if (terminal.isLive) terminal.live(line);
    else if (step !== shown) terminal.line(line);
    shown = step;
    await delay(POLL_MS);
  }
}
