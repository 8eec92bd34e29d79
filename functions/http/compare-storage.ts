// Compares the records of one storage with its objects, site by site, as long as there is time: what is wrong is found twice
// before it is believed, and nothing in the storage is ever deleted. One site's trouble is no other's.
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import type { ComparedStorage, StorageFindingKind, StorageReport } from "#shared/contracts/upkeep.ts";
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
import type { BackupRecord, SiteRecord } from "../core/records.ts";
import { addFinding, isOwnKey } from "../core/storage-report.ts";
import type { StoredObject } from "../core/stored-object.ts";
import type { Deps } from "../deps.ts";
import type { ObjectList } from "../stores/object-list.ts";
import type { Objects } from "../stores/objects.ts";
import { settleRace } from "../stores/settle-race.ts";
import { adoptObject } from "./adopt-object.ts";

export interface ListedStorage {
  /** undefined: the Master's own bucket. */
  readonly providerId: string | undefined;
  readonly objects: Objects;
  readonly list: ObjectList;
  /** Its part of the report, which is counted up. */
  readonly line: ComparedStorage;
}

export interface CompareOptions {
  readonly storage: ListedStorage;
  /** The last prefix that was done. */
  readonly after: string | undefined;
  readonly hasTime: () => boolean;
  /** Backups that are said to lie elsewhere are counted here, by their providers. */
  readonly elsewhere: Map<string, number>;
  readonly report: StorageReport;
}

interface SitePlace {
  readonly prefix: string;
  readonly nodeId: string;
  readonly siteId: string;
  readonly hasFault: boolean;
}
type Contents = PrefixContents<SitePlace>;
interface Work extends Pick<CompareOptions, "storage" | "report" | "elsewhere"> {
  readonly deps: Deps<"records">;
}

const AT_ONCE = 8;

/** The prefix behind which there was no time. @throws BackupError where the storage does not list what it has. */
export async function compareStorage(
  { after: done, hasTime, ...rest }: CompareOptions,
  deps: Deps<"records">,
): Promise<string | undefined> {
  const { storage } = rest;
  const after = done === undefined ? "" : pastPrefix(done);
  const sites = (await placesOf(storage, deps)).filter(({ prefix }) => prefix > after);
  let batch: Contents[] = [];
  const settle = async (): Promise<string | undefined> => {
    await Promise.all(batch.map((contents) => lookAt(contents, { ...rest, deps })));
    const last = batch.findLast(({ prefix }) => prefix !== undefined)?.prefix;
    batch = [];
    return last;
  };
  try {
    for await (const contents of mergePrefixes(sites, listOf(storage, sites, after))) {
      batch.push(contents);
      if (batch.length < AT_ONCE) continue;
      const last = await settle();
      if (last !== undefined && !hasTime()) return last;
    }
  } finally {
    // Also where the list breaks off: all objects of these are known.
    await settle();
  }
  return undefined;
}

/** The sites that can have anything there, the removed ones included: their backups stay. In the order of their prefixes. */
async function placesOf(
  { providerId }: Pick<ListedStorage, "providerId">,
  { records }: Deps<"records">,
): Promise<SitePlace[]> {
  const place = (nodeId: string, siteId: string, hasFault: boolean): SitePlace => {
    return { prefix: `${nodeId}/${siteId}/`, nodeId, siteId, hasFault };
  };
  const places =
    providerId === undefined
      ? (await records.sites.everyOne()).map((site) =>
          place(site.node_id, site.id, site.storage_fault !== undefined),
        )
      : // That a site has no faults left is seen when all are looked at.
        (await records.providers.choices(providerId)).map((one) => place(one.node_id, one.site_id, false));
  return places.sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

/** Elsewhere only what lies below the sites' nodes: keys may be confined to that, and the rest is somebody else's. */
async function* listOf(
  { providerId, list }: ListedStorage,
  sites: readonly SitePlace[],
  after: string,
): AsyncGenerator<StoredObject> {
  if (providerId === undefined) yield* list.objectsAfter(after);
  else for (const id of new Set(sites.map(({ nodeId }) => nodeId))) yield* list.objectsAfter(after, `${id}/`);
}

async function lookAt(contents: Contents, work: Work): Promise<void> {
  const { report, deps, storage } = work;
  const { line } = storage;
  line.objects += contents.objects.length;
  line.objects_bytes += contents.objects.reduce((sum, { size_bytes: bytes }) => sum + bytes, 0);
  const { site, objects, prefix } = contents;
  try {
    if (site !== undefined) await compareWithRecords(site, objects, work);
    else for (const object of objects) await lookAtStranger(object, undefined, work);
  } catch (error) {
    report.failed_sites += 1;
    const provider_id = line.provider_id;
    deps.log.error("storage of a site not compared", { prefix, provider_id, error: error as Error });
  }
}

async function compareWithRecords(
  { nodeId, siteId, hasFault }: SitePlace,
  objects: readonly StoredObject[],
  work: Work,
): Promise<void> {
  const { report, deps, storage } = work;
  storage.line.sites += 1;
  const all = await deps.records.backups.ofSite(nodeId, siteId);
  const [here, others] = partition(all, storage.providerId);
  storage.line.backups += here.length;
  for (const { provider_id: id = DEFAULT_PROVIDER } of others) {
    work.elsewhere.set(id, (work.elsewhere.get(id) ?? 0) + 1);
  }
  const differences = compareSite(here, objects, others);
  for (const difference of differences) {
    if ("backup" in difference) await settleFault(difference, work);
    else await lookAtStranger(difference.object, siteId, work);
  }
  const isFaultless = !hasFault && !here.some(isFaulty) && differences.every((one) => !("backup" in one));
  if (!report.dry_run && !isFaultless) await saveFaults(nodeId, siteId, deps);
}

function partition(
  backups: readonly BackupRecord[],
  providerId: string | undefined,
): [BackupRecord[], BackupRecord[]] {
  const isHere = ({ provider_id: id }: BackupRecord): boolean => id === providerId;
  return [backups.filter(isHere), backups.filter((backup) => !isHere(backup))];
}

/** Read again: it may have been stored, or deleted, since the list was made. */
async function settleFault(suspect: Fault, work: Work): Promise<void> {
  const { deps, report, storage } = work;
  const { backup } = suspect;
  const object = await storage.list.find(objectKey(backup.s3_path));
  const found = compareBackup(backup, object);
  if (found === undefined || (await deps.records.deletedBackups.get(backup.id)) !== undefined) return;
  const { id, site_id } = backup;
  const facts = {
    provider_id: storage.line.provider_id,
    key: objectKey(backup.s3_path),
    site_id,
    backup_id: id,
  };
  const sizeBytes = object?.size_bytes ?? backup.size_bytes;
  addFinding(report, { kind: found.kind, ...facts, size_bytes: sizeBytes, detail: found.why });
  const mark = report.dry_run ? undefined : markDifference(found, deps.now());
  // False where it was deleted meanwhile.
  if (mark !== undefined) await deps.records.commit({ jobs: [], mark });
}

async function lookAtStranger(object: StoredObject, siteId: string | undefined, work: Work): Promise<void> {
  const { report, deps, storage } = work;
  if (isOwnKey(object.key)) return;
  const { providerId, objects, line } = storage;
  const elsewhere = providerId === undefined ? undefined : { providerId, isChosen: siteId !== undefined };
  const verdict = await adoptObject(object, { ...deps, objects }, { isDryRun: report.dry_run, elsewhere });
  const about = {
    provider_id: line.provider_id,
    key: object.key,
    site_id: siteId ?? null,
    size_bytes: object.size_bytes,
  };
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
async function saveFaults(nodeId: string, siteId: string, deps: Deps<"records">): Promise<void> {
  await settleRace(async () => {
    const site: SiteRecord | undefined = await deps.records.sites.get(siteId);
    if (site === undefined) return true;
    const faulty = (await deps.records.backups.ofSite(nodeId, siteId)).filter(isFaulty);
    const after = withStorageFault(site, faulty, deps.now());
    if (after === site) return true;
    return (await deps.records.commit({ jobs: [], site: { before: site, after } })) ? true : undefined;
  });
}
