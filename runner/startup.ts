// After a crash: what the dead process left on this disk and in the bucket is removed before new work begins.
// What belongs to a job whose process lives (a run-once beside the daemon) is left alone.
import { sweepIndexCache } from "./io/index-cache.ts";
import type { Log } from "./io/log.ts";
import { sweepOutbox } from "./io/outbox.ts";
import { openRestoreStore } from "./io/restore/restore-store.ts";
import { openSiteTree } from "./io/restore/site-tree.ts";
import type { StateDir } from "./io/state-dir.ts";
import type { OpenUpload, UploadJournal } from "./io/upload-journal.ts";
import { recoverRestores } from "./recover-restores.ts";

export interface StartupDeps {
  readonly state: StateDir;
  readonly uploads: UploadJournal;
  readonly abortUpload: (upload: OpenUpload) => Promise<void>;
  readonly log: Log;
}

/** Needs nobody but the disk. Call it while holding the state directory's lock. */
export async function cleanDisk({ state, log }: StartupDeps): Promise<void> {
  const torn = await sweepOutbox(state.outboxDir);
  if (torn > 0) log.warn("startup.torn_reports_removed", { count: torn });
  await sweepIndexCache(state.indexDir);
  for (const { jobId, isAlive } of await state.listSpools()) {
    if (isAlive) continue;
    await state.removeSpool(jobId);
    log.warn("startup.spool_removed", { job_id: jobId });
  }
}

/** Needs the storage. An upload that cannot be aborted now stays in the journal for the next start. */
export async function abortLeftUploads({ state, uploads, abortUpload, log }: StartupDeps): Promise<void> {
  const spools = await state.listSpools();
  const alive = new Set(spools.filter(({ isAlive }) => isAlive).map(({ jobId }) => jobId));
  for (const upload of await uploads.list()) {
    if (alive.has(upload.job_id)) continue;
    try {
      await abortUpload(upload);
      await uploads.closed(upload);
      log.warn("startup.upload_aborted", { job_id: upload.job_id, key: upload.key });
    } catch (error) {
      log.warn("startup.upload_not_aborted", { job_id: upload.job_id, key: upload.key, error });
    }
  }
}

/** Needs the sites' databases. What cannot be ended now is tried again at the next start; backups go on meanwhile. */
export async function endLeftRestores(
  { state, log }: Pick<StartupDeps, "state" | "log">,
  signal: AbortSignal,
): Promise<void> {
  using tree = openSiteTree();
  try {
    const store = await openRestoreStore(state.restoresDir);
    await recoverRestores({
      store,
      tree,
      siteEnvFile: (id) => state.siteEnvFile(id),
      signal,
      now: () => new Date(),
      log,
    });
  } catch (error) {
    log.error("restores.not_recovered", { error });
  }
}
