// Records an archive of the bucket that no record knows, if it may be: for the archives whose report got lost, and for a
// table that has to be built again.

import { BackupError } from "#shared/errors.ts";
import { archiveFileTime, objectPath, parseObjectPath } from "#shared/object-key.ts";
import { RESUMABLE_MS } from "#shared/upload-life.ts";
import {
  type ArchiveSummary,
  adoptArchive,
  backupIdsOf,
  type Elsewhere,
  type FoundArchive,
  judgeContents,
  judgeElsewhere,
  judgeFound,
  type LeftAlone,
} from "../core/adopt-archive.ts";
import type { BackupRecord, JobRecord } from "../core/records.ts";
import type { StoredObject } from "../core/stored-object.ts";
import type { Deps } from "../deps.ts";
import { summarizeArchive } from "../stores/archive-summary.ts";
import { settleRace } from "../stores/settle-race.ts";

type AdoptDeps = Deps<"records" | "objects">;
export type Adopted = { readonly kind: "adopted"; readonly backup: BackupRecord };
export type Verdict = LeftAlone | Adopted | { readonly kind: "adoptable" };

export interface AdoptOptions {
  /** Say what would be done, without reading the archive. */
  readonly isDryRun?: boolean;
  /** Leave no activity: there will be thousands. */
  readonly isQuiet?: boolean;
  /** Wait for a report that may still come; there is none where the jobs themselves are lost. */
  readonly isAwaited?: boolean;
  /** The storage that `deps.objects` is, if not the Master's own bucket. */
  readonly elsewhere?: Elsewhere | undefined;
}

/** A job is made before its first path is given away, at most its deadline and its attempts earlier. */
const JOB_BEFORE_MS = 3 * 86_400_000;

export async function adoptObject(
  object: StoredObject,
  deps: AdoptDeps,
  { isDryRun = false, isQuiet = false, isAwaited = true, elsewhere }: AdoptOptions = {},
): Promise<Verdict> {
  const place = parseObjectPath(`/${object.key}`);
  if (place === undefined) return { kind: "refused", why: "its key is not one of a backup", isNoKey: true };
  const path = objectPath(place);
  let summary: ArchiveSummary | undefined;
  return settleRace(async () => {
    const found = await lookAround({ object, place, path, elsewhere }, deps);
    const known = await knownAs(found, deps);
    const left = known ?? judgeFound(found, deps.now());
    if (left !== undefined && (isAwaited || left.kind !== "wait")) return left;
    const strange = isAwaited ? judgeElsewhere(found) : undefined;
    if (strange !== undefined) return strange;
    if (isDryRun) return { kind: "adoptable" };
    try {
      summary ??= await summarizeArchive(deps.objects, { ...object, s3_path: path });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return { kind: "refused", why: error.message } as const;
    }
    const wrong = judgeContents(found, summary);
    if (wrong !== undefined) return wrong;
    const site = found.site;
    if (site === undefined) return undefined;
    const activityId = isQuiet ? undefined : deps.randomUuid();
    const step = adoptArchive({ ...found, site, summary, activityId }, deps.now());
    return (await deps.records.commit(step)) ? { kind: "adopted", backup: step.backup } : undefined;
  });
}

async function lookAround(
  found: Omit<FoundArchive, "site" | "jobs">,
  deps: AdoptDeps,
): Promise<FoundArchive> {
  const { siteId, fileName } = found.place;
  const [site, jobs] = await Promise.all([
    deps.records.sites.get(siteId),
    jobsOfPath(siteId, found.path, archiveFileTime(fileName), deps),
  ]);
  return { ...found, site, jobs };
}

async function jobsOfPath(
  siteId: string,
  path: string,
  at: Date | undefined,
  deps: AdoptDeps,
): Promise<JobRecord[]> {
  if (at === undefined) return [];
  const from = new Date(at.getTime() - JOB_BEFORE_MS);
  const jobs = await deps.records.jobs.madeBetween(siteId, from, new Date(at.getTime() + RESUMABLE_MS));
  return jobs.filter((job) => job.type === "backup" && job.s3_path === path);
}

async function knownAs(found: FoundArchive, { records }: AdoptDeps): Promise<LeftAlone | undefined> {
  const { nodeId, siteId } = found.place;
  if (await records.backups.isPathUsed(nodeId, siteId, found.path)) {
    return { kind: "recorded", why: "it is on record" };
  }
  for (const id of backupIdsOf(found)) {
    const deleted = await records.deletedBackups.get(id);
    if (deleted !== undefined)
      return { kind: "deleted", why: `deleted at ${deleted.deleted_at} by ${deleted.by}` };
  }
  return undefined;
}

/** No archive, or another object by now: nothing of ours is broken. */
function isUnreadable(error: unknown): error is BackupError {
  return (
    error instanceof BackupError && (error.code === "archive_corrupt" || error.code === "archive_unavailable")
  );
}
