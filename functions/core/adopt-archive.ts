// An archive that lies in the bucket and is on no record, because its report got lost: may it be recorded from its own
// index? Nobody vouches for it, so it is believed only where it fits: its key, its header and a site that is known say the
// same, nobody has deleted it, and no job is left that could still report it.
import { SiteName } from "#shared/contracts/common.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { backupIdFor, jobIdOfPath } from "#shared/job-id.ts";
import { archiveFileTime, archiveSiteName, type ObjectPlace } from "#shared/object-key.ts";
import { effectiveJob, endJob, endStep, hasEnded, type Step, withBackup } from "./job-state.ts";
import type { BackupRecord, JobRecord, SiteRecord } from "./records.ts";
import { isSettled, type StoredObject } from "./stored-object.ts";

export interface FoundArchive {
  readonly object: StoredObject;
  /** Of its key, `path` with its leading slash. */
  readonly place: ObjectPlace;
  readonly path: string;
  /** That its key names, also a removed one. */
  readonly site: SiteRecord | undefined;
  /** All jobs of the site that were given its path. */
  readonly jobs: readonly JobRecord[];
  /** Where it lies, if that is not the Master's own bucket. */
  readonly elsewhere?: Elsewhere | undefined;
}

export interface Elsewhere {
  readonly providerId: string;
  /** By its site, now or at some time. */
  readonly isChosen: boolean;
}

/** What its index says. */
export interface ArchiveSummary {
  readonly header: IndexHeader;
  readonly sha256_index: string;
  readonly index_bytes: number;
  readonly files: number;
  readonly files_bytes: number;
}

/** Nothing is to be done; `wait`: not yet. */
export interface LeftAlone {
  readonly kind: "recorded" | "deleted" | "wait" | "refused";
  readonly why: string;
  /** Refused because not even its name is a backup's. */
  readonly isNoKey?: true;
}

/** A clock that is a little ahead is no forgery. */
const CLOCK_MS = 5 * 60_000;
const ACTOR = { kind: "system", id: "storage", label: "storage" } as const;

/** What can be said without reading it; undefined: its index decides. */
export function judgeFound({ object, place, site, jobs }: FoundArchive, now: Date): LeftAlone | undefined {
  if (site === undefined) return refused("no site on record has that id");
  if (site.node_id !== place.nodeId) return refused("the site belongs to another node");
  const at = archiveFileTime(place.fileName);
  // Only the Master gives names away, and none of the future: one in the year 2999 would be the newest for ever.
  const isOfFuture = at === undefined || at.getTime() > Date.parse(object.modified_at) + CLOCK_MS;
  if (jobs.length === 0 && isOfFuture) {
    return refused("its name tells of a time after it was stored");
  }
  if (!isSettled(object, now)) return { kind: "wait", why: "it is new: its report may be under way" };
  const alive = jobs.map((job) => effectiveJob(job, now)).find((job) => !hasEnded(job.state));
  return alive === undefined ? undefined : { kind: "wait", why: `job ${alive.id} is ${alive.state}` };
}

/**
 * In the Master's own bucket nobody but its node can have written it. Elsewhere more can: whoever owns the storage, and each
 * node that has its static keys. So only a name is believed there that the Master gave away.
 */
export function judgeElsewhere({ elsewhere, jobs }: FoundArchive): LeftAlone | undefined {
  if (elsewhere === undefined) return undefined;
  if (!elsewhere.isChosen) return refused("its site has never used this storage");
  return jobs.length === 0
    ? refused("no job was given its name, and not only its node can write here")
    : undefined;
}

/** Whether a header belongs to where the archive lies. */
export function judgeContents(
  { place }: Pick<FoundArchive, "place">,
  { header }: ArchiveSummary,
): LeftAlone | undefined {
  if (header.node_id !== place.nodeId || header.site_id !== place.siteId) {
    return refused("its index names another node or site");
  }
  return header.database === null || header.entries === 0 ? refused("it holds no database dump") : undefined;
}

/** Under each of these it is on record if it ever was. */
export function backupIdsOf({ jobs, path }: Pick<FoundArchive, "jobs" | "path">): string[] {
  return [...jobs.map(({ id }) => id), jobIdOfPath(path)].map(backupIdFor);
}

export interface AdoptionInput extends FoundArchive {
  readonly site: SiteRecord;
  readonly summary: ArchiveSummary;
  /** undefined where many are recorded at once. */
  readonly activityId: string | undefined;
}

/** The backup, and the end of the job that made it where the Master only guessed how that ended. */
export function adoptArchive(input: AdoptionInput, now: Date): Step & { readonly backup: BackupRecord } {
  const { site, jobs } = input;
  // The same path is given to a later job to go on with the upload: the latest one completed it.
  const job = jobs.toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1))[0];
  const backup = backupOf(input, job, now);
  const pathAt = backup.created_at > (site.last_path_at ?? "") ? backup.created_at : site.last_path_at;
  const shared = {
    backup,
    ...(input.activityId === undefined ? {} : { activity: activityOf(backup, input.activityId, now) }),
  };
  if (job === undefined || job.reported === true || job.state === "succeeded") {
    const after = { ...withBackup(site, backup), ...(pathAt === undefined ? {} : { last_path_at: pathAt }) };
    return { jobs: [], site: { before: site, after }, ...shared };
  }
  const after: JobRecord = { ...endJob(job, "succeeded", now, {}), backup_id: backup.id };
  return { ...endStep({ before: job, after }, site, undefined, backup), ...shared };
}

function backupOf(
  { object, place, path, site, summary, elsewhere }: AdoptionInput,
  job: JobRecord | undefined,
  now: Date,
): BackupRecord {
  const jobId = job?.id ?? jobIdOfPath(path);
  const { header, sha256_index, index_bytes, files, files_bytes } = summary;
  const named = SiteName.safeParse(archiveSiteName(place.fileName));
  return {
    id: backupIdFor(jobId),
    ...(site.tenant === undefined ? {} : { tenant: site.tenant }),
    job_id: jobId,
    site_id: site.id,
    site_name: named.success ? named.data : site.name,
    node_id: site.node_id,
    trigger: job?.trigger ?? "schedule",
    created_at: (archiveFileTime(place.fileName) ?? now).toISOString(),
    s3_path: path,
    ...(elsewhere === undefined ? {} : { provider_id: elsewhere.providerId }),
    size_bytes: object.size_bytes,
    archive: {
      format: 1,
      sha256_index,
      sha256_dump: header.database?.sha256 ?? "",
      etag: object.etag,
      // Whether parts were copied cannot be seen: as if they were is the careful answer (core/previous-backup.ts).
      ...{ mode: "incremental", full_reason: null },
      ...{ frames: header.frames, tar_bytes: header.tar_bytes, index_bytes },
      ...{ bytes_read: 0, bytes_compressed: 0, bytes_uploaded: 0, bytes_copied: 0, bytes_resumed: 0 },
      ...{ requests: 0, files, entries: header.entries },
      ...{ entries_unchanged: 0, entries_changed: 0, entries_added: 0, entries_deleted: 0 },
      ...{ files_bytes, db_bytes: header.database?.bytes ?? 0, peak_rss_bytes: 0 },
    },
    started_at: job?.started_at ?? instant(header.created_at),
    finished_at: instant(object.modified_at),
    stages: [],
    warnings: [],
    warnings_total: 0,
    origin: "index",
  };
}

function activityOf(backup: BackupRecord, id: string, now: Date): NonNullable<Step["activity"]> {
  const { site_id, site_name, s3_path, size_bytes, created_at } = backup;
  return {
    id,
    ...(backup.tenant === undefined ? {} : { tenant: backup.tenant }),
    at: now.toISOString(),
    actor: ACTOR,
    action: "backup.adopted",
    target: { kind: "backup", id: backup.id },
    details: { site_id, site_name, s3_path, size_bytes, created_at },
  };
}

/** To the millisecond, as records have it. */
function instant(at: string): string {
  return new Date(at).toISOString();
}

function refused(why: string): LeftAlone {
  return { kind: "refused", why };
}
