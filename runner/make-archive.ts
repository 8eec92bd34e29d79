// Makes the archive of one backup: walks, plans, copies what has not changed from the previous archive and packs the
// rest. Where the storage refuses to copy, the same job makes the archive in full.
import type { S3Client } from "@aws-sdk/client-s3";
import type { Archive, FullReason } from "#shared/contracts/backups.ts";
import { objectKey } from "#shared/object-key.ts";
import manifest from "../package.json" with { type: "json" };
import type { JobContext } from "./context.ts";
import { type ArchiveResult, streamArchive } from "./io/archive.ts";
import { CopyRefused } from "./io/copy-parts.ts";
import { countRequests } from "./io/count-requests.ts";
import type { Dump } from "./io/dump.ts";
import { writeCachedIndex } from "./io/index-cache.ts";
import { type OpenUpload, type Uploaded, uploadMultipart } from "./io/multipart.ts";
import type { PackPlan, PackSummary } from "./io/pack-protocol.ts";
import { packSite } from "./io/pack-site.ts";
import { makeS3 } from "./io/s3-client.ts";
import type { Site } from "./io/site.ts";
import type { OpenUpload as JournalledUpload } from "./io/upload-journal.ts";
import { S3_COPY_LIMITS } from "./plan/copy/plan-copies.ts";
import { findPrevious, type PreviousSource } from "./previous-archive-source.ts";

/** Plain bytes per frame: what one file costs to read back, against what the compressor can see at once. */
export const FRAME_BYTES: number = 4 * 1024 * 1024;
const COMPRESS_CONCURRENCY = 2;
const UPLOAD_CONCURRENCY = 4;
/** Of one entry in the index, on the safe side, and of everything else that follows the data. */
const INDEX_ENTRY_BYTES = 64;
const INDEX_BASE_BYTES = 1_048_576;

export interface Archived {
  readonly sizeBytes: number;
  readonly archive: Archive;
  readonly packed: PackSummary;
}

export interface ArchiveSource {
  readonly site: Site;
  readonly dump: Dump;
  readonly dumpedAt: Date;
}

/** @throws BackupError `storage_*`, `archive_read_failed`, `site_unreadable`; the signal's reason. */
export async function makeArchive(job: JobContext, from: ArchiveSource): Promise<Archived> {
  job.stages.enter("plan");
  const s3 = makeS3(job.config.storage, job.s3Credentials);
  const requests = countRequests(s3);
  try {
    const made = await copyOrPack(job, from, s3);
    const { plan, packed, result, uploaded } = made;
    await keepIndex(job, result.index);
    return {
      sizeBytes: uploaded.sizeBytes,
      packed,
      archive: {
        format: 1,
        sha256_index: result.sha256Index,
        sha256_dump: from.dump.sha256,
        etag: uploaded.etag,
        mode: plan.mode,
        full_reason: made.fullReason,
        frames: result.frames,
        tar_bytes: result.tarBytes,
        index_bytes: result.indexBytes,
        bytes_read: packed.bytesRead + from.dump.bytes,
        bytes_compressed: result.compressedBytes,
        bytes_uploaded: uploaded.sizeBytes - plan.copied.bytes,
        bytes_copied: plan.copied.bytes,
        requests: requests(),
        files: packed.files,
        entries: packed.entries,
        entries_unchanged: plan.counts.unchanged,
        entries_changed: plan.counts.changed,
        entries_added: plan.counts.added,
        entries_deleted: plan.counts.deleted,
        files_bytes: packed.filesBytes,
        db_bytes: from.dump.bytes,
        // Kilobytes on every system (getrusage(2), by way of libuv).
        peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
      },
    };
  } finally {
    s3.destroy();
  }
}

interface Made {
  readonly plan: PackPlan;
  readonly fullReason: FullReason | null;
  readonly packed: PackSummary;
  readonly result: ArchiveResult;
  readonly uploaded: Uploaded;
}

async function copyOrPack(job: JobContext, from: ArchiveSource, s3: S3Client): Promise<Made> {
  const previous = await findPrevious(job, s3);
  try {
    return await packAndUpload(job, from, s3, previous);
  } catch (error) {
    if (!(error instanceof CopyRefused)) throw error;
    job.log.warn("archive.copy_refused", { reason: error.reason, error: error.cause });
    job.stages.enter("plan");
    return await packAndUpload(job, from, s3, { kind: "none", reason: error.reason });
  }
}

async function packAndUpload(
  job: JobContext,
  { site, dump, dumpedAt }: ArchiveSource,
  s3: S3Client,
  previous: PreviousSource,
): Promise<Made> {
  await using pack = packSite({
    configPath: site.configPath,
    contentDir: site.contentDir,
    exclude: job.site.exclude,
    frameBytes: FRAME_BYTES,
    limits: S3_COPY_LIMITS,
    dumpSha256: dump.sha256,
    ...(previous.kind === "previous" ? { previousIndex: previous.index } : {}),
    signal: job.signal,
  });
  const plan = await pack.plan();
  job.stages.enter("archive");
  job.progress.bytesDone = dump.bytes;
  job.progress.bytesTotal = dump.bytes + plan.freshBytes;
  const archive = streamArchive({
    dump,
    dumpedAt,
    pack,
    plan,
    origin: {
      created_at: job.now().toISOString(),
      tool: `backupd ${manifest.version}`,
      node_id: job.config.node_id,
      site_id: job.site.id,
    },
    concurrency: COMPRESS_CONCURRENCY,
    onBytes: (tarBytes) => {
      job.progress.bytesDone = Math.max(dump.bytes, tarBytes);
    },
  });
  const { counts, copied } = plan;
  const entries = counts.unchanged + counts.changed + counts.added;
  const uploaded = await upload(job, s3, {
    frames: archive.pieces,
    expectedBytes: dump.compressedBytes + plan.freshBytes + entries * INDEX_ENTRY_BYTES + INDEX_BASE_BYTES,
    ...(previous.kind === "previous" && copied.parts.length > 0
      ? { copies: { source: previous.source, parts: copied.parts } }
      : {}),
  });
  const fullReason =
    plan.mode === "incremental"
      ? null
      : previous.kind === "none"
        ? previous.reason
        : (plan.fullReason ?? null);
  return { plan, fullReason, packed: pack.summary(), result: archive.result(), uploaded };
}

type What = Pick<Parameters<typeof uploadMultipart>[0], "frames" | "expectedBytes" | "copies">;

async function upload(job: JobContext, s3: S3Client, what: What): Promise<Uploaded> {
  const { bucket } = job.config.storage;
  const journalled = (open: OpenUpload): JournalledUpload => ({
    job_id: job.claim.job.id,
    bucket: open.bucket,
    key: open.key,
    upload_id: open.uploadId,
    opened_at: job.now().toISOString(),
  });
  return await uploadMultipart({
    ...what,
    s3,
    bucket,
    key: objectKey(job.claim.s3_path),
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
}

/** Without it the next backup reads the index from the storage. */
async function keepIndex(job: JobContext, index: readonly Uint8Array[]): Promise<void> {
  await writeCachedIndex(job.indexCacheFile, index).catch((error: unknown) => {
    job.log.warn("index_cache.not_written", { error });
  });
}
