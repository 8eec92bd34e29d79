// A restore into a live site that changes nothing: says what would come, what would go, and whether it would fail for
// a reason that can be known beforehand.
import type { UrlChanged } from "./io/restore/change-url.ts";
import { countUrl } from "./io/restore/count-url.ts";
import { openPlainDump } from "./io/restore/plain-dump.ts";
import type { PreparedImport } from "./io/restore/restore-database.ts";
import { extractionOf } from "./plan/restore/selection.ts";
import { tableOwnerOf } from "./plan/restore/table-owner.ts";
import { type Preparation, planDatabase, siteToBe } from "./prepare-restore.ts";
import { type Extracted, type RestoreDeps, type RestoreOutcome, urlChangeOf } from "./restore-context.ts";

/** Only the dump is extracted, into our own directory: nothing else says which tables would go. */
export async function tryRestore(from: Preparation, deps: RestoreDeps): Promise<RestoreOutcome> {
  const { source, selection } = from;
  deps.enter("preflight");
  const measured = await source.measure(extractionOf(selection), { signal: deps.signal });
  const { plan, url, downloaded } = selection.db ? await tryDatabase(from, deps) : NOTHING;
  return {
    result: {
      bytes_downloaded: downloaded.bytesDownloaded,
      requests: downloaded.requests,
      files: measured.files,
      files_bytes: measured.filesBytes,
      db_bytes: measured.dbBytes,
      tables: plan?.imported.filter(({ kind }) => kind === "table").length ?? 0,
      dry_run: true,
      undo_until: null,
      kept_bytes: 0,
      url_change: url === undefined ? null : urlChangeOf(url),
      sample: [...measured.sample],
    },
    removedTables: plan?.removed.map(({ name }) => name) ?? [],
    leftTables: plan?.left ?? [],
    urlSkipped: url?.skipped ?? [],
  };
}

interface TriedDatabase {
  readonly plan: PreparedImport["plan"] | undefined;
  readonly url: UrlChanged | undefined;
  readonly downloaded: Pick<Extracted, "bytesDownloaded" | "requests">;
}

const NOTHING: TriedDatabase = {
  plan: undefined,
  url: undefined,
  downloaded: { bytesDownloaded: 0, requests: 0 },
};

async function tryDatabase(from: Preparation, deps: RestoreDeps): Promise<TriedDatabase> {
  const { request, source, selection, ownDir } = from;
  const { signal } = deps;
  deps.enter("extract");
  const only = selection.config ? (["db", "config"] as const) : (["db"] as const);
  const downloaded = await source.extract(ownDir, { only, paths: [] }, { signal });
  const { dbPath } = downloaded;
  if (dbPath === undefined) return { ...NOTHING, downloaded };
  const site = siteToBe(from, ownDir, deps);
  const { plan } = (await planDatabase(site, dbPath, from, signal)).prepared;
  if (request.newUrl === undefined) return { ...NOTHING, plan, downloaded };
  const { tablePrefix } = site;
  const imported = plan.imported.map(({ name }) => name);
  const owner = tableOwnerOf(tablePrefix, imported);
  const isSites = (table: string): boolean => imported.includes(table) && owner(table) === "site";
  const count = { tablePrefix, isSites, newUrl: request.newUrl };
  return { plan, downloaded, url: await countUrl(openPlainDump(dbPath), count, signal) };
}
