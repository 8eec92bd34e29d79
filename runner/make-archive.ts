// Makes the archive of one backup, by the cheapest way that the storage goes along with: it copies what has not changed
// from the previous archive; where that is refused, the same job packs in full; and where parts have to be of one size,
// it sends such.
import type { Archive, FullReason, SuccessReport } from "#shared/contracts/backups.ts";
import type { ArchiveAhead } from "./archive-ahead.ts";
import { type ArchiveStorage, WITHOUT_COPIES } from "./archive-storage.ts";
import type { JobContext } from "./context.ts";
import { CopyRefused } from "./io/copy-parts.ts";
import { writeCachedIndex } from "./io/index-cache.ts";
import { EqualPartsWanted, ResumeRefused } from "./io/multipart.ts";
import type { PackSummary } from "./io/pack-protocol.ts";
import type { PackThread } from "./io/pack-thread.ts";
import { rememberEqualParts } from "./io/storage-quirks.ts";
import { storageError } from "./plan/storage-error.ts";
import type { PreviousSource } from "./previous-archive-source.ts";
import { findResumable } from "./resume-upload.ts";
import { type ArchiveSource, type Made, sendArchive } from "./send-archive.ts";

export interface Archived {
  readonly sizeBytes: number;
  readonly archive: Archive;
  readonly packed: PackSummary;
}

/**
 * `reportOf`: the backup's report if the upload's completion, which is next, works.
 * @throws BackupError `storage_*`, `archive_read_failed`, `site_unreadable`; the signal's reason.
 */
export async function makeArchive(
  job: JobContext,
  from: ArchiveSource,
  ahead: ArchiveAhead,
  reportOf: (archived: Archived) => SuccessReport,
): Promise<Archived> {
  job.stages.enter("plan");
  const storage = await ahead.storage();
  const describe = (made: Made, previous: PreviousSource): Archived => ({
    sizeBytes: made.sizeBytes,
    packed: made.packed,
    archive: archiveFacts(made, {
      from,
      requests: storage.requests(),
      fullReason: fullReason(made, previous),
    }),
  });
  const { made, previous } = await sendSomehow(job, storage, ahead.thread, from, (...now) =>
    reportOf(describe(...now)),
  );
  await keepIndex(job, made.result.index);
  return describe(made, previous);
}

interface Sent {
  readonly made: Made;
  readonly previous: PreviousSource;
}

async function sendSomehow(
  job: JobContext,
  { clients, way }: ArchiveStorage,
  thread: PackThread,
  from: ArchiveSource,
  reportOf: (made: Made, previous: PreviousSource) => SuccessReport,
): Promise<Sent> {
  let { equalParts, previous } = way;
  for (let unused: PackThread | undefined = thread; ; unused = undefined) {
    const source = previous;
    // Also what this very job has sent before it was told that nothing can be copied.
    const earlier = await findResumable(job, clients.s3, { equalParts });
    const report = (made: Made): SuccessReport => reportOf(made, source);
    try {
      const input = {
        job,
        ...clients,
        from,
        previous,
        earlier,
        equalParts,
        thread: unused,
        reportOf: report,
      };
      const made = await sendArchive(input);
      if (equalParts) await rememberEqualParts(job.quirksFile, job.storage.endpoint);
      return { made, previous };
    } catch (error) {
      if (error instanceof CopyRefused) previous = { kind: "none", reason: error.reason };
      else if (error instanceof EqualPartsWanted && !equalParts) {
        previous = WITHOUT_COPIES;
        equalParts = true;
      } else if (error instanceof ResumeRefused) {
        // It is aborted by now: the next round finds nothing to go on with.
      } else throw error instanceof EqualPartsWanted ? storageError(error.cause, job.claim.s3_path) : error;
      job.log.warn("archive.begun_again", { error, cause: error.cause });
      job.stages.enter("plan");
    }
  }
}

function fullReason({ plan }: Made, previous: PreviousSource): FullReason | null {
  if (plan.mode === "incremental") return null;
  return previous.kind === "none" ? previous.reason : (plan.fullReason ?? null);
}

interface Facts {
  readonly from: ArchiveSource;
  readonly requests: number;
  readonly fullReason: FullReason | null;
}

function archiveFacts({ plan, packed, result, sizeBytes, etag }: Made, facts: Facts): Archive {
  const { dump } = facts.from;
  return {
    format: 1,
    sha256_index: result.sha256Index,
    sha256_dump: dump.sha256,
    etag,
    mode: plan.mode,
    full_reason: facts.fullReason,
    frames: result.frames,
    tar_bytes: result.tarBytes,
    index_bytes: result.indexBytes,
    bytes_read: packed.bytesRead + dump.bytes,
    bytes_compressed: result.compressedBytes,
    bytes_uploaded: sizeBytes - plan.copied.bytes - plan.kept.bytes,
    bytes_copied: plan.copied.bytes,
    bytes_resumed: plan.kept.bytes,
    requests: facts.requests,
    files: packed.files,
    entries: packed.entries,
    entries_unchanged: plan.counts.unchanged,
    entries_changed: plan.counts.changed,
    entries_added: plan.counts.added,
    entries_deleted: plan.counts.deleted,
    files_compared: plan.counts.files,
    files_garbled: packed.garbled,
    files_bytes: packed.filesBytes,
    db_bytes: dump.bytes,
    db_stored_bytes: dump.compressedBytes,
    peak_rss_bytes: facts.from.memory.peakBytes(),
  };
}

/** Without it the next backup reads the index from the storage. */
async function keepIndex(job: JobContext, index: readonly Uint8Array[]): Promise<void> {
  await writeCachedIndex(job.indexCacheFile, index).catch((error: unknown) => {
    job.log.warn("index_cache.not_written", { error });
  });
}
