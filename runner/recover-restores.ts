// Restores that a crash or a power cut left half done are brought to an end, and what is kept for undo goes when its
// time is over. Called again and again by the daemon, and before a site is restored or undone.
import { BackupError } from "#shared/errors.ts";
import type { Log } from "./io/log.ts";
import { type RevertDeps, removeRestore, revertRestore } from "./io/restore/revert-restore.ts";
import { isUndoOver, type RestoreJournal, recoveryOf } from "./plan/restore/restore-journal.ts";

export type RecoverDeps = RevertDeps & { readonly now: () => Date; readonly log: Log };

/** Sites of which something is to be ended or thrown away, or that somebody is at work on. */
export async function unsettledSites({ store, now }: Pick<RecoverDeps, "store" | "now">): Promise<string[]> {
  const unsettled = (await store.list()).filter(
    (journal) => recoveryOf(journal.state) !== "keep" || isUndoOver(journal, now()),
  );
  return [...new Set(unsettled.map(({ site_id }) => site_id))];
}

/** Whether that is all that there is to do: if somebody is at work on the site, the rest is theirs. Never throws. */
export async function settleSite(siteId: string, deps: RecoverDeps): Promise<boolean> {
  const fields = { site_id: siteId };
  try {
    using _lock = deps.store.lockSite(siteId);
    await recoverSite(siteId, deps);
    return true;
  } catch (error) {
    if (error instanceof BackupError && error.code === "already_running") {
      deps.log.debug("restore.at_work", fields);
      return true;
    }
    deps.log[deps.signal.aborted ? "warn" : "error"]("restore.not_recovered", { ...fields, error });
    return false;
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
