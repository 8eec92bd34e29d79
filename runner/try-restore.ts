// A restore into a live site that changes nothing: says what would come, what would go, and whether it would fail for
// a reason that can be known beforehand.
import type { UrlChanged } from "./io/restore/change-url.ts";
import { countUrl } from "./io/restore/count-url.ts";
import { openPlainDump } from "./io/restore/plain-dump.ts";
import { prepareImport } from "./io/restore/restore-database.ts";
import { extractionOf } from "./plan/restore/selection.ts";
import type { Preparation } from "./prepare-restore.ts";
import type { RestoreDeps, RestoreOutcome } from "./restore-context.ts";

/** Only the dump is extracted, into our own directory: nothing else says which tables would go. */
export async function tryRestore(
  { request, source, selection, live, ownDir }: Preparation,
  deps: RestoreDeps,
): Promise<RestoreOutcome> {
  const { signal } = deps;
  deps.enter("preflight");
  const measured = await source.measure(extractionOf(selection));
  let plan: Awaited<ReturnType<typeof prepareImport>>["plan"] | undefined;
  let url: UrlChanged | undefined;
  let downloaded = { bytesDownloaded: 0, requests: 0 };
  if (selection.db && live !== undefined) {
    deps.enter("extract");
    const extracted = await source.extract(ownDir, { only: ["db"], paths: [] }, { signal });
    downloaded = extracted;
    if (extracted.dbPath !== undefined) {
      const dump = openPlainDump(extracted.dbPath);
      plan = (await prepareImport(live, dump, { signal })).plan;
      if (request.newUrl !== undefined) url = await countUrl(dump, request.newUrl, signal);
    }
  }
  return {
    result: {
      bytes_downloaded: downloaded.bytesDownloaded,
      requests: downloaded.requests,
      files: measured?.files ?? 0,
      files_bytes: measured?.filesBytes ?? 0,
      db_bytes: measured?.dbBytes ?? 0,
      tables: plan?.imported.filter(({ kind }) => kind === "table").length ?? 0,
      dry_run: true,
      undo_until: null,
      kept_bytes: 0,
      url_change:
        url === undefined ? null : { from: url.from, to: url.to, tables: 0, rows: 0, values: url.values },
      sample: [...(measured?.sample ?? [])],
    },
    removedTables: plan?.removed.map(({ name }) => name) ?? [],
    leftTables: plan?.left ?? [],
    urlSkipped: [],
  };
}
