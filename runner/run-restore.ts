// The story of a restore into a live site: everything is made ready beside it first; then database and files change
// hands; and until undo is over, what was replaced can come back. Whatever goes wrong, be it kill -9, the site is the
// old or the new one in the end.
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { asBackupError, BackupError } from "#shared/errors.ts";
import { changeUrl, type UrlChanged } from "./io/restore/change-url.ts";
import { drainVisitors } from "./io/restore/drain-visitors.ts";
import { leftSize } from "./io/restore/kept-size.ts";
import { enterMaintenance, leaveMaintenance, maintenanceFile } from "./io/restore/maintenance.ts";
import { removeRestore, revertRestore } from "./io/restore/revert-restore.ts";
import { stagePlaces } from "./io/restore/stage.ts";
import { applySwap } from "./io/restore/swap-files.ts";
import { fromUtf8 } from "./plan/byte-string.ts";
import { type RestoreJournal, undoUntil } from "./plan/restore/restore-journal.ts";
import { type Selection, selectionOf } from "./plan/restore/selection.ts";
import { normalUrl } from "./plan/restore/url-pattern.ts";
import { type Preparation, type Prepared, prepareRestore, readLiveSite } from "./prepare-restore.ts";
import { recoverSite } from "./recover-restores.ts";
import {
  type RestoreDeps,
  type RestoreOutcome,
  type RestoreRequest,
  type RestoreSource,
  urlChangeOf,
} from "./restore-context.ts";
import { tryRestore } from "./try-restore.ts";

/** @throws BackupError; the site is then as it was before, unless the code is `restore_not_reverted`. */
export async function runRestore(
  request: RestoreRequest,
  source: RestoreSource,
  deps: RestoreDeps,
): Promise<RestoreOutcome> {
  using _lock = deps.store.lockSite(request.site.id);
  const selection = selectionFor(request, source);
  if (request.newUrl !== undefined) {
    normalUrl(request.newUrl);
    if (!selection.db) {
      throw new BackupError("invalid_request", { detail: "A new address needs the database to be restored" });
    }
  }
  const former = await recoverSite(request.site.id, deps);
  const run = await begin(request, source, selection, deps);
  if (request.dryRun) {
    try {
      return await tryRestore(run, deps);
    } finally {
      await removeRestore(run.keeper.journal(), deps);
    }
  }
  const prepared = await orElse(
    () => prepareRestore(run, deps),
    () => removeRestore(run.keeper.journal(), deps),
    deps,
  );
  const url = await orElse(
    () => change(run, prepared, deps),
    () => putBack(run.keeper.journal(), deps),
    deps,
  );
  deps.enter("cleanup");
  for (const journal of former) await removeRestore(journal, deps);
  const keptBytes = await leftSize(deps.tree, run.keeper.journal(), prepared.stage);
  return outcomeOf(run, prepared, { keptBytes, url });
}

interface Run extends Preparation {
  readonly keeper: JournalKeeper;
}

/** The journal as it is on disk. */
interface JournalKeeper {
  journal(): RestoreJournal;
  save(changes: Partial<RestoreJournal>): Promise<void>;
}

/** Into another site only what that site does not have of its own: its wp-config.php names its own database. */
function selectionFor({ only, paths, site }: RestoreRequest, source: RestoreSource): Selection {
  const isForeign = source.siteId !== undefined && source.siteId !== site.id;
  const isDefault = only === undefined && paths.length === 0;
  return selectionOf({ only: isForeign && isDefault ? ["db", "files"] : only, paths });
}

async function begin(
  request: RestoreRequest,
  source: RestoreSource,
  selection: Selection,
  deps: RestoreDeps,
): Promise<Run> {
  const live = readLiveSite(request, deps);
  const id = randomUUID();
  const ownDir = deps.store.dirOf(id);
  const beside = live === undefined ? request.site.path : dirname(live.contentDir);
  const places = stagePlaces(fromUtf8(ownDir), fromUtf8(`${beside}/wp-content`), id);
  let journal: RestoreJournal = {
    version: 1,
    id,
    site_id: request.site.id,
    site_name: request.site.name,
    site_path: request.site.path,
    source: source.name,
    started_at: deps.now().toISOString(),
    state: "preparing",
    undo_until: null,
    stages: [places.own, places.beside],
    swaps: [],
    database: null,
    maintenance: null,
  };
  await deps.store.write(journal);
  await deps.store.makeDir(id);
  const keeper: JournalKeeper = {
    journal: () => journal,
    async save(changes) {
      const next = { ...journal, ...changes };
      await deps.store.write(next);
      journal = next;
    },
  };
  return { request, source, selection, places, live, ownDir, keeper };
}

/** From the first line on the site is in between, and the journal knows it. */
async function change(
  { keeper, request }: Run,
  { site, extracted, swaps, database }: Prepared,
  deps: RestoreDeps,
): Promise<UrlChanged | undefined> {
  const { tree, signal } = deps;
  const maintenance = site.coreDir === undefined ? null : maintenanceFile(fromUtf8(site.coreDir));
  const { plan } = database?.prepared ?? { plan: undefined };
  const kept = database === undefined ? null : { safety: database.safety, made: [...(plan?.made ?? [])] };
  await keeper.save({
    state: "changing",
    swaps: [...swaps],
    database: kept === null ? null : { ...kept, is_changed: false },
    maintenance,
  });
  if (maintenance !== null) {
    if (enterMaintenance(tree, maintenance)) await drainVisitors(site.db, signal);
    else await keeper.save({ maintenance: null });
  }
  if (database !== undefined && kept !== null) {
    deps.enter("import");
    await keeper.save({ database: { ...kept, is_changed: true } });
    await database.prepared.load({
      signal,
      onBytes: (sent) => {
        const { filesBytes, dbBytes } = extracted;
        const bytesTotal = filesBytes + 2 * dbBytes;
        deps.onProgress?.({ bytesTotal, bytesDone: Math.min(bytesTotal, filesBytes + dbBytes + sent) });
      },
    });
  }
  let url: UrlChanged | undefined;
  if (request.newUrl !== undefined) {
    deps.enter("url");
    url = await changeUrl(site, request.newUrl, signal);
  }
  deps.enter("swap");
  signal.throwIfAborted();
  for (const swap of swaps) applySwap(tree, swap);
  const ours = keeper.journal().maintenance;
  if (ours !== null) leaveMaintenance(tree, ours);
  await keeper.save({ state: "done", undo_until: undoUntil(deps.now()), maintenance: null });
  return url;
}

/** Runs `action`; if it fails, the remedy first, then the failure. */
async function orElse<T>(
  action: () => Promise<T>,
  remedy: () => Promise<void>,
  { log }: RestoreDeps,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const failure = asBackupError(error, "restore_failed");
    try {
      await remedy();
    } catch (next) {
      if (next instanceof BackupError && next.code === "restore_not_reverted") throw next;
      // What is left is in the journal, and the next start deals with it.
      log.error("restore.not_tidied", { error: next });
    }
    throw failure;
  }
}

async function putBack(journal: RestoreJournal, deps: RestoreDeps): Promise<void> {
  if (journal.state === "preparing") {
    await removeRestore(journal, deps);
    return;
  }
  // Also when it was cancelled: half a site is no place to stop at.
  const signal = new AbortController().signal;
  try {
    await revertRestore(journal, { ...deps, signal });
  } catch (error) {
    const failure = asBackupError(error, "restore_not_reverted");
    if (failure.code === "restore_not_reverted") throw failure;
    throw new BackupError("restore_not_reverted", { detail: failure.message, cause: error });
  }
  deps.log.warn("restore.reverted", { restore_id: journal.id, site_id: journal.site_id });
}

function outcomeOf(
  { keeper }: Run,
  { extracted, database }: Prepared,
  { keptBytes, url }: { readonly keptBytes: number; readonly url: UrlChanged | undefined },
): RestoreOutcome {
  const plan = database?.prepared.plan;
  return {
    result: {
      bytes_downloaded: extracted.bytesDownloaded,
      requests: extracted.requests,
      files: extracted.files,
      files_bytes: extracted.filesBytes,
      db_bytes: extracted.dbBytes,
      tables: plan?.imported.filter(({ kind }) => kind === "table").length ?? 0,
      dry_run: false,
      undo_until: keeper.journal().undo_until,
      kept_bytes: keptBytes,
      url_change: url === undefined ? null : urlChangeOf(url),
      sample: [],
    },
    removedTables: plan?.removed.map(({ name }) => name) ?? [],
    leftTables: plan?.left ?? [],
    urlSkipped: url?.skipped ?? [],
  };
}
