// The first half of a restore into a live site, in which the site is only looked at: the backup is extracted beside it,
// its database is dumped for safety, and every name and table that will change is known in the end.
import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { BackupError } from "#shared/errors.ts";
import { formatBytes } from "#shared/units.ts";
import { freeBytes } from "./io/disk.ts";
import { dumpDatabase } from "./io/dump.ts";
import { findProgram } from "./io/find-program.ts";
import { type DatabaseFacts, probeDatabase } from "./io/mysql-client.ts";
import { openPlainDump } from "./io/restore/plain-dump.ts";
import { checkExtracted, checkSwaps, planSwaps } from "./io/restore/plan-swaps.ts";
import { type PreparedImport, prepareImport } from "./io/restore/restore-database.ts";
import { keepSafetyDump } from "./io/restore/safety-dump.ts";
import { makeStage, type Stage, type StagePlaces } from "./io/restore/stage.ts";
import { targetOwners } from "./io/restore/target-owners.ts";
import { readSite, type Site } from "./io/site.ts";
import { type ByteString, fromUtf8, toBytes } from "./plan/byte-string.ts";
import { FRAME_BYTES } from "./plan/frame-bytes.ts";
import type { OwnerMap } from "./plan/restore/owner-map.ts";
import type { SafetyDump, Swap } from "./plan/restore/restore-journal.ts";
import { missingRoom, type Place } from "./plan/restore/room.ts";
import { extractionOf, type Selection } from "./plan/restore/selection.ts";
import { checkOneSite } from "./plan/restore/url-scope.ts";
import type { Extracted, Measured, RestoreDeps, RestoreRequest, RestoreSource } from "./restore-context.ts";

export interface Prepared {
  /** As it will be: with the backup's wp-config.php, if that is restored. */
  readonly site: Site;
  readonly stage: Stage;
  readonly extracted: Extracted;
  readonly swaps: readonly Swap[];
  readonly database: { readonly prepared: PreparedImport; readonly safety: SafetyDump } | undefined;
}

export interface Preparation {
  readonly request: RestoreRequest;
  readonly source: RestoreSource;
  readonly selection: Selection;
  readonly places: StagePlaces;
  /** Undefined if the site has no wp-config.php, and so the backup's says what it consists of. */
  readonly live: Site | undefined;
  /** Exists, and is ours. */
  readonly ownDir: string;
}

/** @throws BackupError; nothing in the site is changed, but our own directories may be left. */
export async function prepareRestore(from: Preparation, deps: RestoreDeps): Promise<Prepared> {
  const { source, selection, places } = from;
  const { tree, signal } = deps;
  deps.enter("preflight");
  const what = extractionOf(selection);
  const measured = await source.measure(what, { signal });
  await checkRoom(measured, from, deps);
  const stage = makeStage(tree, places);
  deps.enter("extract");
  const extracted = await source.extract(toPath(stage.fresh), what, {
    signal,
    owners: ownersFor(from, deps),
    // What is imported passes by once more.
    onProgress: ({ bytesTotal, bytesDone }) =>
      deps.onProgress?.({ bytesTotal: bytesTotal + measured.dbBytes, bytesDone }),
  });
  const site = siteToBe(from, toPath(stage.fresh), deps);
  const swaps = planSwaps(tree, {
    selection,
    stage,
    configPath: fromUtf8(from.live?.configPath ?? site.configPath),
    contentDir: fromUtf8(from.live?.contentDir ?? site.contentDir),
    exclude: from.request.site.exclude,
  });
  checkSwaps(tree, stage, swaps);
  checkExtracted(tree, stage, swaps);
  const database = selection.db ? await prepareDatabase(site, extracted, from, deps) : undefined;
  await flushToDisk(toPath(stage.root), deps);
  return { site, stage, extracted, swaps, database };
}

/** In the site that was backed up everybody's files are theirs again; in another one the ids mean other people. */
function ownersFor({ source, request, live }: Preparation, { tree }: RestoreDeps): OwnerMap | undefined {
  if ((source.siteId ?? source.madeOf) === request.site.id) return undefined;
  const [config, content] = [live?.configPath, live?.contentDir].map((path) =>
    path === undefined ? undefined : fromUtf8(path),
  );
  return targetOwners(tree, { site: request.site.path, config, content }, source.owner);
}

/** The site as it is; undefined if it has no wp-config.php. @throws BackupError `site_*`, `wp_config_unreadable`. */
export function readLiveSite(
  { site }: RestoreRequest,
  deps: Pick<RestoreDeps, "siteEnvFile">,
): Site | undefined {
  try {
    return readSite({ path: site.path, siteEnvFile: deps.siteEnvFile(site.id), contentMayBeMissing: true });
  } catch (error) {
    if (error instanceof BackupError && error.code === "wp_config_missing") return undefined;
    throw error;
  }
}

/** `extractedDir`: where the backup's wp-config.php is, if it is restored. @throws BackupError `wp_config_*`, `site_*`. */
export function siteToBe(
  { request, selection, live }: Preparation,
  extractedDir: string,
  deps: Pick<RestoreDeps, "siteEnvFile">,
): Site {
  if (!selection.config) {
    if (live !== undefined) return live;
    throw new BackupError("wp_config_missing", {
      detail: `There is no wp-config.php in ${request.site.path}, and none is to be restored`,
      hint: "Restore it, too: leave out --only, or add config to it.",
    });
  }
  return readSite({
    path: request.site.path,
    siteEnvFile: deps.siteEnvFile(request.site.id),
    configFile: join(extractedDir, "wp-config.php"),
    contentMayBeMissing: true,
  });
}

async function prepareDatabase(
  site: Site,
  extracted: Extracted,
  from: Preparation,
  { signal, enter }: RestoreDeps,
): Promise<NonNullable<Prepared["database"]>> {
  if (extracted.dbPath === undefined) {
    throw new BackupError("dump_unusable", { detail: "The backup has no database.sql" });
  }
  const { facts, prepared } = await planDatabase(site, extracted.dbPath, from, signal);
  enter("safety");
  await using dump = await dumpDatabase(site.db, {
    facts,
    spoolDir: from.ownDir,
    frameBytes: FRAME_BYTES,
    signal,
  });
  return { prepared, safety: await keepSafetyDump(dump, join(from.ownDir, "safety.sql.zst")) };
}

/** All that can be known of an import before it is made; the dry run of it is that and no more. @throws BackupError */
export async function planDatabase(
  site: Site,
  dbPath: string,
  { request, selection, live }: Preparation,
  signal: AbortSignal,
): Promise<{ readonly facts: DatabaseFacts; readonly prepared: PreparedImport }> {
  const facts = await probe(site, selection, live, signal);
  const prepared = await prepareImport(site, openPlainDump(dbPath), { signal });
  checkPrefix(site, prepared);
  if (request.newUrl !== undefined) {
    checkOneSite(site.tablePrefix, new Set(prepared.plan.imported.map(({ name }) => name)));
  }
  return { facts, prepared };
}

async function probe(
  site: Site,
  selection: Selection,
  live: Site | undefined,
  signal: AbortSignal,
): Promise<DatabaseFacts> {
  try {
    return await probeDatabase(site.db, { signal });
  } catch (error) {
    const isOldLogin = selection.config && live !== undefined && error instanceof BackupError;
    if (!isOldLogin || JSON.stringify(live.db) === JSON.stringify(site.db)) throw error;
    throw new BackupError(error.code, {
      detail: `With the login in the backup's wp-config.php: ${error.message}`,
      hint: "The login has changed since. Keep today's wp-config.php: --only db,files.",
      cause: error,
    });
  }
}

function checkPrefix({ tablePrefix }: Site, { plan }: PreparedImport): void {
  const options = `${tablePrefix ?? ""}options`;
  if (tablePrefix === undefined || plan.imported.some(({ name }) => name === options)) return;
  const others = plan.imported.filter(({ name }) => name.endsWith("options")).map(({ name }) => name);
  throw new BackupError("dump_unusable", {
    detail: `It has no table ${options}, which the site needs; it has ${others.join(", ") || "no table of that kind"}`,
    hint: "Set $table_prefix in the site's wp-config.php to the backup's, or restore wp-config.php, too.",
  });
}

/** @throws BackupError `disk_full`, `db_*`. */
async function checkRoom(
  measured: Measured,
  { selection, ownDir, live, places }: Preparation,
  { signal }: RestoreDeps,
): Promise<void> {
  const facts = selection.db && live !== undefined ? await probeBefore(live, selection, signal) : undefined;
  const own = await placeOf(ownDir);
  const beside = live === undefined ? own : await placeOf(toPath(parentOf(places.beside)));
  const missing = missingRoom({ ...measured, dataBytes: facts?.dataBytes ?? 0 }, own, beside);
  if (missing === undefined) return;
  const { directory, neededBytes, freeBytes: free } = missing;
  throw new BackupError("disk_full", {
    detail: `The restore needs ${formatBytes(neededBytes)} in ${directory}; ${formatBytes(free)} are free`,
    hint: "Free some space there. The old files and the dump of the old database stay there until undo is over.",
  });
}

async function placeOf(directory: string): Promise<Place> {
  const { dev: device } = await stat(directory);
  return { directory, device, freeBytes: await freeBytes(directory) };
}

/** Better now than after an hour of downloading. */
async function probeBefore(
  live: Site,
  selection: Selection,
  signal: AbortSignal,
): Promise<DatabaseFacts | undefined> {
  try {
    return await probeDatabase(live.db, { signal });
  } catch (error) {
    signal.throwIfAborted();
    // The backup's wp-config.php may know better; it is asked when it is there.
    if (selection.config && error instanceof BackupError) return undefined;
    throw error;
  }
}

/** After a power cut the site must not have files that are there by name only. */
async function flushToDisk(directory: string, { log, signal }: RestoreDeps): Promise<void> {
  const sync = findProgram(["sync"]);
  try {
    if (sync === undefined) throw new Error("sync is not installed");
    await promisify(execFile)(sync, ["--file-system", directory], { signal });
  } catch (error) {
    signal.throwIfAborted();
    log.warn("restore.not_synced", { error });
  }
}

function parentOf(path: ByteString): ByteString {
  return fromUtf8(dirname(toPath(path)));
}

function toPath(path: ByteString): string {
  return toBytes(path).toString("utf8");
}
