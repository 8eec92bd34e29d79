// Compares all records with all objects, storage by storage, as long as there is time. One storage's trouble is no other's,
// and is told: what could not be looked at is not missing.
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import type { StorageReport } from "#shared/contracts/upkeep.ts";
import { BackupError } from "#shared/errors.ts";
import { errorReport } from "../core/job-state.ts";
import { readCursor, type StoragePlace, storagesFrom, writeCursor } from "../core/storage-cursor.ts";
import { addStorage, newStorageReport, sumStorages } from "../core/storage-report.ts";
import { viewDefaultProvider } from "../core/view-provider.ts";
import type { Deps } from "../deps.ts";
import { compareStorage } from "./compare-storage.ts";

export type ReconcileDeps = Deps<"records" | "storages">;

export interface ReconcileOptions {
  readonly isDryRun: boolean;
  /** Where an earlier run had no more time. */
  readonly cursor?: string | undefined;
  readonly hasTime: () => boolean;
  /** Whether another storage may be begun with, which may be silent for long. */
  readonly mayBegin?: () => boolean;
}

interface Run extends Pick<ReconcileOptions, "hasTime"> {
  readonly report: StorageReport;
  readonly deps: ReconcileDeps;
  readonly elsewhere: Map<string, number>;
  /** Of the providers on record, by their ids. */
  readonly names: ReadonlyMap<string, string>;
}

export async function reconcileStorage(
  { isDryRun, cursor, hasTime, mayBegin = hasTime }: ReconcileOptions,
  deps: ReconcileDeps,
): Promise<StorageReport> {
  const report = newStorageReport(isDryRun, deps.now());
  const providers = await deps.records.providers.all();
  const names = new Map(providers.map(({ id, name }) => [id, name]));
  const run: Run = { report, deps, hasTime, names, elsewhere: new Map() };
  for (const [at, place] of storagesFrom([...names.keys()], readCursor(cursor)).entries()) {
    // The first in any case: each run is to get somewhere.
    const rest = at === 0 || mayBegin() ? await compareOne(place, run) : place;
    if (rest === undefined) continue;
    report.next_cursor = writeCursor(rest);
    break;
  }
  await tellUnknown(run);
  sumStorages(report);
  deps.log.info("reconcile", { ...report, findings: undefined });
  return report;
}

/** Where to go on if there was no time for all of it. */
async function compareOne(
  { providerId, prefix }: StoragePlace,
  { report, hasTime, deps, names, elsewhere }: Run,
): Promise<StoragePlace | undefined> {
  const name = providerId === undefined ? viewDefaultProvider(deps.config).name : names.get(providerId);
  const line = addStorage(report, { provider_id: providerId ?? DEFAULT_PROVIDER, name: name ?? null });
  const { storages } = deps;
  try {
    const [objects, list] = await Promise.all([storages.at(providerId), storages.listAt(providerId)]);
    const storage = { providerId, line, objects, list };
    const last = await compareStorage({ storage, after: prefix, hasTime, elsewhere, report }, deps);
    return last === undefined ? undefined : { providerId, prefix: last };
  } catch (error) {
    // What is not the storage's trouble has no code here.
    if (!(error instanceof BackupError)) throw error;
    line.error = errorReport(error.code, error.message);
    deps.log.error("storage not compared", { provider_id: line.provider_id, error });
    return undefined;
  }
}

/** Backups of a storage that no record knows: the table was rebuilt, and its provider is yet to be made again. */
async function tellUnknown({ report, deps, names, elsewhere }: Run): Promise<void> {
  for (const [id, backups] of elsewhere) {
    if (id === DEFAULT_PROVIDER || names.has(id)) continue;
    // It may have come while the sites were walked.
    if ((await deps.records.providers.get(id)) !== undefined) continue;
    const line = addStorage(report, { provider_id: id, name: null });
    const why = `There is no storage provider ${id}, but ${backups} of the backups on record lie there.`;
    line.error = errorReport("archive_unavailable", why);
  }
}
