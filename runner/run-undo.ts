// The story of an undo: what the site's last restore replaced comes back, and what it had brought goes.
import { BackupError } from "#shared/errors.ts";
import { revertRestore } from "./io/restore/revert-restore.ts";
import { forDisplay } from "./plan/byte-string.ts";
import type { RestoreJournal } from "./plan/restore/restore-journal.ts";
import { type RecoverDeps, recoverSite } from "./recover-restores.ts";

export interface UndoRequest {
  readonly siteId: string;
  readonly dryRun: boolean;
}

export interface UndoResult {
  /** What was undone, or in a dry run would be. */
  readonly source: string;
  readonly restoredAt: string;
  readonly putsBackDatabase: boolean;
  /** Paths in the live site. */
  readonly paths: readonly string[];
}

/** @throws BackupError `nothing_to_undo`, `already_running`, `restore_not_reverted`, `db_*`. */
export async function runUndo({ siteId, dryRun }: UndoRequest, deps: RecoverDeps): Promise<UndoResult> {
  using _lock = deps.store.lockSite(siteId);
  if (!dryRun) {
    // A restore or an undo that was killed is ended by the same word, and then there is no more to undo.
    const halfDone = (await deps.store.list()).findLast(
      (journal) => journal.site_id === siteId && ["changing", "reverting"].includes(journal.state),
    );
    const left = await recoverSite(siteId, deps);
    if (halfDone !== undefined) return resultOf(halfDone);
    return await undo(left.at(-1), deps);
  }
  const last = (await deps.store.list()).findLast(
    (journal) => journal.site_id === siteId && journal.state !== "removing",
  );
  if (last === undefined) throw new BackupError("nothing_to_undo");
  return resultOf(last);
}

async function undo(journal: RestoreJournal | undefined, deps: RecoverDeps): Promise<UndoResult> {
  if (journal === undefined) throw new BackupError("nothing_to_undo");
  deps.log.info("restore.undo_begun", { restore_id: journal.id, site_id: journal.site_id });
  await revertRestore(journal, deps);
  return resultOf(journal);
}

function resultOf(journal: RestoreJournal): UndoResult {
  return {
    source: journal.source,
    restoredAt: journal.started_at,
    putsBackDatabase: journal.database?.is_changed === true,
    paths: journal.swaps.map(({ target }) => forDisplay(target)),
  };
}
