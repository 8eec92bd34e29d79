// Puts a site back to what it was before a restore: after a failure, after a kill -9, or because the operator wants
// it so. Every step may be interrupted and done again; but only a death interrupts it: half a site is no place to stop at.
import { type ByteString, fromUtf8, toBytes } from "../../plan/byte-string.ts";
import type { RestoreJournal } from "../../plan/restore/restore-journal.ts";
import { readSite, type Site } from "../site.ts";
import { drainVisitors } from "./drain-visitors.ts";
import type { ExtractProgress } from "./extract-archive.ts";
import { enterMaintenance, leaveMaintenance, maintenanceFile } from "./maintenance.ts";
import { type PreparedImport, prepareImport } from "./restore-database.ts";
import type { RestoreStore } from "./restore-store.ts";
import { checkSafetyDump, openSafetyDump } from "./safety-dump.ts";
import type { SiteTree } from "./site-tree.ts";
import { revertSwap } from "./swap-files.ts";

export interface RevertDeps {
  readonly store: RestoreStore;
  readonly tree: SiteTree;
  readonly siteEnvFile: (siteId: string) => string;
  /** Heeded for as long as the site has not been touched; what then began is brought to its end. */
  readonly signal: AbortSignal;
  /** Of the job as a whole. */
  readonly onProgress?: (progress: ExtractProgress) => void;
}

const TO_ITS_END: AbortSignal = new AbortController().signal;

/**
 * Everything of this restore is gone then, and the site as it was. @throws BackupError; it may be called again. If it
 * was `done`, it still is unless changing the site has begun.
 */
export async function revertRestore(found: RestoreJournal, deps: RevertDeps): Promise<void> {
  const { store, tree, signal } = deps;
  let journal = found;
  const save = async (changes: Partial<RestoreJournal>): Promise<void> => {
    journal = { ...journal, ...changes };
    await store.write(journal);
  };
  const database = await prepareDatabase(journal, deps);
  signal.throwIfAborted();
  // `changing` means the same to whoever finds it, and the disk may be full.
  if (journal.state === "done") await save({ state: "reverting" });
  if (database !== undefined) {
    const { site, kept, prepared } = database;
    if (site.coreDir !== undefined && journal.maintenance === null) {
      const file = maintenanceFile(fromUtf8(site.coreDir));
      await save({ maintenance: file });
      if (enterMaintenance(tree, file)) await drainVisitors(site.db, TO_ITS_END);
      else await save({ maintenance: null });
    }
    const bytesTotal = kept.safety.bytes;
    const onBytes = (bytesDone: number): void => deps.onProgress?.({ bytesTotal, bytesDone });
    onBytes(0);
    await prepared.load({ signal: TO_ITS_END, onBytes });
    await save({ database: { ...kept, is_changed: false } });
  }
  for (const swap of journal.swaps.toReversed()) revertSwap(tree, swap);
  if (journal.maintenance !== null) leaveMaintenance(tree, journal.maintenance);
  await removeRestore({ ...journal, maintenance: null }, deps);
}

/** Removes everything of it but what is in the live site. May be called again. */
export async function removeRestore(
  journal: RestoreJournal,
  { store, tree }: Pick<RevertDeps, "store" | "tree">,
): Promise<void> {
  // Before that, it may be needed again: to revert, or for undo.
  if (journal.state !== "preparing") await store.write({ ...journal, state: "removing" });
  for (const stage of journal.stages) await tree.remove(stage);
  await store.remove(journal.id);
}

interface PreparedDatabase {
  readonly site: Site;
  readonly kept: NonNullable<RestoreJournal["database"]>;
  readonly prepared: PreparedImport;
}

/** Changes nothing. Undefined if the database was left alone, or is back already. */
async function prepareDatabase(
  journal: RestoreJournal,
  deps: RevertDeps,
): Promise<PreparedDatabase | undefined> {
  const { signal } = deps;
  const kept = journal.database;
  if (kept?.is_changed !== true) return undefined;
  const site = siteOfRestore(journal, deps);
  await checkSafetyDump(kept.safety, signal);
  const source = openSafetyDump(kept.safety);
  return { site, kept, prepared: await prepareImport(site, source, { signal, alsoDrop: kept.made }) };
}

/** By the config that the restored site was to have: it names the database that was changed. */
function siteOfRestore(journal: RestoreJournal, { tree, siteEnvFile }: RevertDeps): Site {
  const place = {
    path: journal.site_path,
    siteEnvFile: siteEnvFile(journal.site_id),
    contentMayBeMissing: true,
  };
  const swap = journal.swaps.find(({ fresh }) => fresh?.endsWith("/fresh/wp-config.php"));
  // The files go back last, so it either still waits or is in its place.
  const waits = swap !== undefined && swap.fresh !== null && tree.kindOf(swap.fresh) !== undefined;
  return readSite(waits ? { ...place, configFile: toPath(swap.fresh ?? "") } : place);
}

function toPath(path: ByteString): string {
  return toBytes(path).toString("utf8");
}
