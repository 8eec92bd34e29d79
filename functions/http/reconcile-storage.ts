// Compares all records with all objects, site by site, as long as there is time: what is wrong is found twice before it is
// believed, and nothing in the storage is ever deleted. One site's trouble is no other's.
import type { StorageFindingKind, StorageReport } from "#shared/contracts/upkeep.ts";
import { objectKey } from "#shared/object-key.ts";
import {
  compareBackup,
  compareSite,
  type Fault,
  isFaulty,
  markDifference,
  withStorageFault,
} from "../core/compare-storage.ts";
import { mergePrefixes, type PrefixContents, pastPrefix } from "../core/merge-prefixes.ts";
import type { SiteRecord } from "../core/records.ts";
import { addFinding, isOwnKey, newStorageReport } from "../core/storage-report.ts";
import type { StoredObject } from "../core/stored-object.ts";
import type { Deps } from "../deps.ts";
import { settleRace } from "../stores/settle-race.ts";
import { adoptObject } from "./adopt-object.ts";

export type ReconcileDeps = Deps<"records" | "objects" | "objectList">;

export interface ReconcileOptions {
  readonly isDryRun: boolean;
  /** The last prefix that was done. */
  readonly cursor?: string | undefined;
  readonly hasTime: () => boolean;
}

interface SitePlace {
  readonly prefix: string;
  readonly nodeId: string;
  readonly siteId: string;
  readonly hasFault: boolean;
}
type Contents = PrefixContents<SitePlace>;
interface Work {
  readonly deps: ReconcileDeps;
  readonly report: StorageReport;
}

const AT_ONCE = 8;

export async function reconcileStorage(
  { isDryRun, cursor, hasTime }: ReconcileOptions,
  deps: ReconcileDeps,
): Promise<StorageReport> {
  const report = newStorageReport(isDryRun, deps.now());
  const after = cursor === undefined ? "" : pastPrefix(cursor);
  const sites = (await placesOf(deps)).filter(({ prefix }) => prefix > after);
  const work = { deps, report };
  let batch: Contents[] = [];
  const settle = async (): Promise<string | undefined> => {
    await Promise.all(batch.map((contents) => lookAt(contents, work)));
    const last = batch.findLast(({ prefix }) => prefix !== undefined)?.prefix;
    batch = [];
    return last;
  };
  for await (const contents of mergePrefixes(sites, deps.objectList.objectsAfter(after))) {
    batch.push(contents);
    if (batch.length < AT_ONCE) continue;
    const last = await settle();
    if (last === undefined || hasTime()) continue;
    report.next_cursor = last;
    break;
  }
  await settle();
  deps.log.info("reconcile", { ...report, findings: undefined });
  return report;
}

/** Of all sites, the removed ones included: their backups stay. In the order of their prefixes. */
async function placesOf({ records }: ReconcileDeps): Promise<SitePlace[]> {
  const sites = await records.sites.everyOne();
  return sites
    .map(({ node_id: nodeId, id: siteId, storage_fault: fault }) => {
      return { prefix: `${nodeId}/${siteId}/`, nodeId, siteId, hasFault: fault !== undefined };
    })
    .sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

async function lookAt(contents: Contents, work: Work): Promise<void> {
  const { report, deps } = work;
  report.objects += contents.objects.length;
  report.objects_bytes += contents.objects.reduce((sum, { size_bytes: bytes }) => sum + bytes, 0);
  const { site, objects, prefix } = contents;
  try {
    if (site !== undefined) await compareWithRecords(site, objects, work);
    else for (const object of objects) await lookAtStranger(object, undefined, work);
  } catch (error) {
    report.failed_sites += 1;
    deps.log.error("storage of a site not compared", { prefix, error: error as Error });
  }
}

async function compareWithRecords(
  { nodeId, siteId, hasFault }: SitePlace,
  objects: readonly StoredObject[],
  work: Work,
): Promise<void> {
  const { report, deps } = work;
  report.sites += 1;
  // What lies in other storages is not listed here.
  const backups = (await deps.records.backups.ofSite(nodeId, siteId)).filter(
    ({ provider_id: elsewhere }) => elsewhere === undefined,
  );
  report.backups += backups.length;
  const differences = compareSite(backups, objects);
  for (const difference of differences) {
    if ("backup" in difference) await settleFault(difference, work);
    else await lookAtStranger(difference.object, siteId, work);
  }
  const isFaultless = !hasFault && !backups.some(isFaulty) && differences.every((one) => !("backup" in one));
  if (!report.dry_run && !isFaultless) await saveFaults(nodeId, siteId, deps);
}

/** Read again: it may have been stored, or deleted, since the list was made. */
async function settleFault(suspect: Fault, work: Work): Promise<void> {
  const { deps, report } = work;
  const { backup } = suspect;
  const object = await deps.objectList.find(objectKey(backup.s3_path));
  const found = compareBackup(backup, object);
  if (found === undefined || (await deps.records.deletedBackups.get(backup.id)) !== undefined) return;
  const { id, site_id } = backup;
  const facts = { key: objectKey(backup.s3_path), site_id, backup_id: id };
  const sizeBytes = object?.size_bytes ?? backup.size_bytes;
  addFinding(report, { kind: found.kind, ...facts, size_bytes: sizeBytes, detail: found.why });
  const mark = report.dry_run ? undefined : markDifference(found, deps.now());
  // False where it was deleted meanwhile.
  if (mark !== undefined) await deps.records.commit({ jobs: [], mark });
}

async function lookAtStranger(object: StoredObject, siteId: string | undefined, work: Work): Promise<void> {
  const { report, deps } = work;
  if (isOwnKey(object.key)) return;
  const verdict = await adoptObject(object, deps, { isDryRun: report.dry_run });
  const about = { key: object.key, site_id: siteId ?? null, size_bytes: object.size_bytes };
  const add = (kind: StorageFindingKind, detail: string, backupId: string | null = null): void =>
    addFinding(report, { kind, ...about, backup_id: backupId, detail });
  switch (verdict.kind) {
    case "recorded":
      return;
    case "adopted":
      return add("adopted", "recorded from its index", verdict.backup.id);
    case "adoptable":
      return add("adoptable", "would be recorded from its index");
    case "wait":
      return add("waiting", verdict.why);
    case "deleted":
      return add("deleted", verdict.why);
    case "refused":
      return add(siteId === undefined || verdict.isNoKey === true ? "unknown" : "refused", verdict.why);
  }
}

/** The site says how many of its backups are faulty, so that the watch need not look through them. */
async function saveFaults(nodeId: string, siteId: string, deps: ReconcileDeps): Promise<void> {
  await settleRace(async () => {
    const site: SiteRecord | undefined = await deps.records.sites.get(siteId);
    if (site === undefined) return true;
    const faulty = (await deps.records.backups.ofSite(nodeId, siteId)).filter(isFaulty);
    const after = withStorageFault(site, faulty, deps.now());
    if (after === site) return true;
    return (await deps.records.commit({ jobs: [], site: { before: site, after } })) ? true : undefined;
  });
}
