// A backup of a site that a restore has left half done, or is just changing, would look like any other and be worth
// nothing: it is not made.
import type { NodeSite } from "#shared/contracts/sites.ts";
import { BackupError } from "#shared/errors.ts";
import type { JobContext } from "./context.ts";
import { openRestoreStore } from "./io/restore/restore-store.ts";
import { recoveryOf } from "./plan/restore/restore-journal.ts";

/** @throws BackupError `restore_not_reverted`. */
export async function refuseHalfRestored({
  restoresDir,
  site,
}: Pick<JobContext, "restoresDir"> & { readonly site: Pick<NodeSite, "id" | "name"> }): Promise<void> {
  const store = await openRestoreStore(restoresDir);
  const half = (await store.list()).find(
    (journal) => journal.site_id === site.id && recoveryOf(journal.state) === "revert",
  );
  if (half === undefined) return;
  throw new BackupError("restore_not_reverted", {
    detail: `A restore of ${site.name}, begun ${half.started_at}, is at work or half done`,
    hint: "If none is at work: the log says why the site could not be put back; the daemon goes on trying.",
  });
}
