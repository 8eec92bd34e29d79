// Restores that a crash or a power cut left half done are brought to an end, and what is kept for undo goes when its
// time is over. Called at every start, and before a site is restored or undone.
import type { Log } from "./io/log.ts";
import { type RevertDeps, removeRestore, revertRestore } from "./io/restore/revert-restore.ts";
import { isUndoOver, type RestoreJournal, recoveryOf } from "./plan/restore/restore-journal.ts";

export type RecoverDeps = RevertDeps & { readonly now: () => Date; readonly log: Log };

/** All sites, one by one; one that cannot be helped now does not keep the others from it. */
export async function recoverRestores(deps: RecoverDeps): Promise<void> {
  const sites = new Set((await deps.store.list()).map(({ site_id }) => site_id));
  for (const siteId of sites) {
    try {
      using _lock = deps.store.lockSite(siteId);
      await recoverSite(siteId, deps);
    } catch (error) {
      deps.log.error("restore.not_recovered", { site_id: siteId, error });
    }
  }
}

/** Under the site's lock. What is left is `done`, oldest first. @throws BackupError if the site cannot be put back. */
export async function recoverSite(siteId: string, deps: RecoverDeps): Promise<RestoreJournal[]> {
  const left: RestoreJournal[] = [];
  for (const journal of (await deps.store.list()).filter(({ site_id }) => site_id === siteId)) {
    const fields = { restore_id: journal.id, site_id: siteId, site: journal.site_name };
    switch (recoveryOf(journal.state)) {
      case "remove":
        await removeRestore(journal, deps);
        deps.log.warn("restore.leftovers_removed", fields);
        break;
      case "revert":
        deps.log.warn("restore.reverting", fields);
        await revertRestore(journal, deps);
        deps.log.warn("restore.reverted", fields);
        break;
      case "keep":
        if (isUndoOver(journal, deps.now())) {
          await removeRestore(journal, deps);
          deps.log.info("restore.undo_over", fields);
        } else {
          left.push(journal);
        }
        break;
    }
  }
  return left;
}
