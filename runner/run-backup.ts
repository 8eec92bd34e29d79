// The story of one backup, from a claimed job to the report of its success: what happens, in which order, and what
// has to be true before the next step. Every error ends it as a BackupError; nothing stays behind in S3 then.
import type { BackupReport, SuccessReport, Warning } from "#shared/contracts/backups.ts";
import { BackupError } from "#shared/errors.ts";
import { objectKey } from "#shared/object-key.ts";
import { formatBytes } from "#shared/units.ts";
import type { JobContext, RunBackup } from "./context.ts";
import { archiveFrames } from "./io/archive.ts";
import { freeBytes } from "./io/disk.ts";
import { type Dump, dumpDatabase } from "./io/dump.ts";
import { type OpenUpload, type Uploaded, uploadMultipart } from "./io/multipart.ts";
import { type DatabaseFacts, probeDatabase } from "./io/mysql-client.ts";
import type { PackSummary } from "./io/pack-protocol.ts";
import { packSite } from "./io/pack-site.ts";
import { makeS3 } from "./io/s3-client.ts";
import { readSite, type Site } from "./io/site.ts";
import type { OpenUpload as JournalledUpload } from "./io/upload-journal.ts";

/** Plain bytes per frame: what one file costs to read back, against what the compressor can see at once. */
const FRAME_BYTES = 4 * 1024 * 1024;
const COMPRESS_CONCURRENCY = 2;
const UPLOAD_CONCURRENCY = 4;
/** Room that stays free for everybody else on the node. */
const SPARE_DISK_BYTES = 64 * 1024 * 1024;
const REPORTED_WARNINGS = 200;

export const runBackup: RunBackup = async (job) => {
  const { stages } = job;
  const startedAt = job.now();
  const soFar = (): ReportBase => reportBase(job, startedAt);

  stages.enter("preflight");
  const { site, facts } = await preflight(job);
  stages.enter("quota");
  const refusal = await quotaRefusal(job);
  if (refusal !== undefined) {
    return { ...soFar(), status: "skipped", reason: refusal, warnings: [], warnings_total: 0 };
  }
  stages.enter("dump");
  await using dump = await dumpSite(job, site, facts);
  const archived = await archiveAndUpload(job, site, dump);
  const fromDatabase = databaseWarnings(facts);
  return {
    ...soFar(),
    status: "success",
    size_bytes: archived.sizeBytes,
    s3_path: job.claim.s3_path,
    archive: archived.archive,
    warnings: [...fromDatabase, ...archived.packed.warnings].slice(0, REPORTED_WARNINGS),
    warnings_total: fromDatabase.length + archived.packed.warningsTotal,
  };
};

type ReportBase = Pick<
  BackupReport,
  "job_id" | "site_id" | "fencing" | "started_at" | "finished_at" | "stages"
>;

function reportBase(job: JobContext, startedAt: Date): ReportBase {
  return {
    job_id: job.claim.job.id,
    site_id: job.site.id,
    fencing: job.claim.fencing,
    started_at: startedAt.toISOString(),
    finished_at: job.now().toISOString(),
    stages: job.stages.times(),
  };
}

/** Everything that can be known to fail before anything is read or sent. */
async function preflight(job: JobContext): Promise<{ site: Site; facts: DatabaseFacts }> {
  const site = readSite({ path: job.site.path, siteEnvFile: job.siteEnvFile });
  const facts = await probeDatabase(site.db, { signal: job.signal });
  // A dump of text is larger than the tables and its compressed spool much smaller; half is on the safe side.
  const neededBytes = facts.dataBytes / 2 + SPARE_DISK_BYTES;
  const free = await freeBytes(job.spoolDir);
  if (free < neededBytes) {
    const detail = `The dump may need ${formatBytes(neededBytes)} in ${job.spoolDir}; ${formatBytes(free)} are free`;
    throw new BackupError("disk_full", { detail });
  }
  return { site, facts };
}

async function quotaRefusal(job: JobContext): Promise<string | undefined> {
  const params = { id: job.site.id };
  const check = await job.master.call("checkSiteQuota", { params, signal: job.signal });
  return check.can_proceed ? undefined : (check.reason ?? "The quota does not allow another backup");
}

async function dumpSite(job: JobContext, site: Site, facts: DatabaseFacts): Promise<Dump> {
  return await dumpDatabase(site.db, {
    facts,
    spoolDir: job.spoolDir,
    frameBytes: FRAME_BYTES,
    signal: job.signal,
    onBytes: (total) => {
      job.progress.bytesDone = total;
    },
  });
}

interface Archived {
  readonly sizeBytes: number;
  readonly archive: SuccessReport["archive"];
  readonly packed: PackSummary;
}

async function archiveAndUpload(job: JobContext, site: Site, dump: Dump): Promise<Archived> {
  await using pack = packSite({
    configPath: site.configPath,
    contentDir: site.contentDir,
    exclude: job.site.exclude,
    frameBytes: FRAME_BYTES,
    signal: job.signal,
  });
  job.stages.enter("plan");
  const { filesBytes } = await pack.totals();
  job.progress.bytesTotal = dump.bytes + filesBytes;
  const archive = archiveFrames({
    dump,
    dumpedAt: job.now(),
    pack,
    concurrency: COMPRESS_CONCURRENCY,
    onBytes: (tarBytes) => {
      job.progress.bytesDone = Math.max(dump.bytes, tarBytes);
    },
  });
  const expectedBytes = dump.compressedBytes + filesBytes;
  job.stages.enter("archive");
  const { etag, sizeBytes } = await upload(job, archive.frames, expectedBytes);
  const packed = pack.summary();
  const counts = archive.counts();
  return {
    sizeBytes,
    packed,
    archive: {
      sha256_dump: dump.sha256,
      etag,
      frames: counts.frames,
      tar_bytes: counts.tarBytes,
      bytes_uploaded: sizeBytes,
      bytes_copied: 0,
      files: packed.files,
      entries: packed.entries,
      files_bytes: packed.filesBytes,
      db_bytes: dump.bytes,
    },
  };
}

async function upload(
  job: JobContext,
  frames: AsyncIterable<Uint8Array>,
  expectedBytes: number,
): Promise<Uploaded> {
  const { storage } = job.config;
  const journalled = (open: OpenUpload): JournalledUpload => ({
    job_id: job.claim.job.id,
    bucket: open.bucket,
    key: open.key,
    upload_id: open.uploadId,
    opened_at: job.now().toISOString(),
  });
  const s3 = makeS3(storage, job.s3Credentials);
  try {
    return await uploadMultipart({
      s3,
      bucket: storage.bucket,
      key: objectKey(job.claim.s3_path),
      frames,
      expectedBytes,
      concurrency: UPLOAD_CONCURRENCY,
      signal: job.signal,
      onUploaded: (total) => {
        job.progress.bytesUploaded = total;
      },
      // The lease must be ours at the one moment after which the archive is there for everybody.
      beforeComplete: async () => {
        await job.lease.renew();
        job.stages.enter("complete");
      },
      onOpen: (open) => job.uploads.opened(journalled(open)),
      onClosed: (open) => job.uploads.closed(journalled(open)),
    });
  } finally {
    s3.destroy();
  }
}

function databaseWarnings({ nonTransactionalTables, unreadable }: DatabaseFacts): Warning[] {
  const warnings: Warning[] = [];
  if (nonTransactionalTables.length > 0) {
    warnings.push({
      code: "tables_not_transactional",
      message:
        `Written during the dump, these tables may not fit the others: ${nonTransactionalTables.join(", ")}. Convert them with ALTER TABLE … ENGINE=InnoDB.`.slice(
          0,
          2000,
        ),
    });
  }
  for (const kind of ["events", "routines", "triggers"] as const) {
    if (unreadable[kind]) {
      warnings.push({
        code: `${kind}_unreadable`,
        message: `The database user may not read ${kind}; if the database has any, they are not in the backup.`,
      });
    }
  }
  return warnings;
}
