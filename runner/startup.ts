// After a crash: what the dead process left on this disk is removed before new work begins. What belongs to a job whose
// process lives (a run-once beside the daemon) is left alone.
import { sweepIndexCache } from "./io/index-cache.ts";
import type { Log } from "./io/log.ts";
import { sweepOutbox } from "./io/outbox.ts";
import type { StateDir } from "./io/state-dir.ts";
import { sweepUploadJournal } from "./io/upload-journal.ts";

export interface StartupDeps {
  readonly state: StateDir;
  readonly log: Log;
}

/** Needs nobody but the disk. Call it while holding the state directory's lock. */
export async function cleanDisk({ state, log }: StartupDeps): Promise<void> {
  const torn = await sweepOutbox(state.outboxDir);
  if (torn > 0) log.warn("startup.torn_reports_removed", { count: torn });
  await sweepIndexCache(state.indexDir);
  await sweepUploadJournal(state.uploadsDir);
  for (const { jobId, isAlive } of await state.listSpools()) {
    if (isAlive) continue;
    await state.removeSpool(jobId);
    log.warn("startup.spool_removed", { job_id: jobId });
  }
}
