// Packs and uploads one archive, going on with what an earlier attempt has sent, and keeps the ledger by which the next
// attempt could go on with this one.
import type { S3Client } from "@aws-sdk/client-s3";
import type { SuccessReport } from "#shared/contracts/backups.ts";
import { objectKey } from "#shared/object-key.ts";
import manifest from "../package.json" with { type: "json" };
import type { JobContext } from "./context.ts";
import { type ArchiveResult, type ArchiveStream, type Piece, streamArchive } from "./io/archive.ts";
import type { Dump } from "./io/dump.ts";
import {
  type EarlierUpload,
  type OpenUpload,
  type Uploaded,
  type UploadInput,
  uploadMultipart,
} from "./io/multipart.ts";
import type { PackPlan, PackSummary } from "./io/pack-protocol.ts";
import { type PackSite, packSite } from "./io/pack-site.ts";
import type { PackThread } from "./io/pack-thread.ts";
import type { PeakMemory } from "./io/peak-memory.ts";
import type { Site } from "./io/site.ts";
import type { LedgerWriter } from "./io/upload-journal.ts";
import { blockRecord, firstRecords, type Opened, partRecord, sentEarlier } from "./io/upload-ledger.ts";
import type { CopyLimits } from "./plan/copy/choose-runs.ts";
import { S3_COPY_LIMITS } from "./plan/copy/plan-copies.ts";
import { FRAME_BYTES } from "./plan/frame-bytes.ts";
import { mayGoOn } from "./plan/resume.ts";
import type { PreviousSource } from "./previous-archive-source.ts";
import { endUpload, placeOf, type Resumable } from "./resume-upload.ts";

/** Frames in work at once. */
export const COMPRESS_CONCURRENCY = 2;
const UPLOAD_CONCURRENCY = 4;
/** Of one entry in the index, on the safe side, and of everything else that follows the data. */
const INDEX_ENTRY_BYTES = 64;
const INDEX_BASE_BYTES = 1_048_576;

export interface ArchiveSource {
  readonly site: Site;
  readonly dump: Dump;
  readonly dumpedAt: Date;
  /** Since the job's start. */
  readonly memory: PeakMemory;
}

export interface SendInput {
  readonly job: JobContext;
  readonly s3: S3Client;
  /** The client for copies. */
  readonly copier: S3Client;
  readonly from: ArchiveSource;
  readonly previous: PreviousSource;
  readonly earlier: Resumable | undefined;
  /** The storage wants parts of one size, which nothing can be resumed from. */
  readonly equalParts: boolean;
  /** Started ahead, maybe told of `previous`, and of the site. */
  readonly thread: PackThread | undefined;
  /** Of the archive that is about to be completed; without its ETag. */
  readonly reportOf: (made: Made) => SuccessReport;
}

/** All that is known when the last byte has been sent. */
export interface Made {
  readonly plan: PackPlan;
  readonly packed: PackSummary;
  readonly result: ArchiveResult;
  readonly sizeBytes: number;
  /** Empty before the completion. */
  readonly etag: string;
}

/** @throws as uploadMultipart; BackupError `archive_read_failed`, `site_unreadable`. */
export async function sendArchive(input: SendInput): Promise<Made> {
  const { job, s3, from } = input;
  let opened: Opened | undefined;
  let ledger: LedgerWriter | undefined;
  await using pack = packSite({
    configPath: from.site.configPath,
    contentDir: from.site.contentDir,
    exclude: job.site.exclude,
    frameBytes: FRAME_BYTES,
    limits: limitsFor(input.earlier),
    dumpSha256: from.dump.sha256,
    ...(input.previous.kind === "previous" ? { previousIndex: input.previous.index } : {}),
    ahead: input.thread,
    ...(input.earlier === undefined ? {} : { sent: sentEarlier(input.earlier.ledger, input.earlier.parts) }),
    signal: job.signal,
    onEntries: (block) => ledger?.note(blockRecord(block)),
  });
  const plan = await pack.plan();
  const earlier = await earlierUpload(input, plan);
  job.stages.enter("archive");
  const archive = streamFrom(input, pack, plan);
  const madeOf = ({ sizeBytes, etag }: Pick<Uploaded, "sizeBytes" | "etag">): Made => ({
    plan,
    packed: pack.summary(),
    result: archive.result(),
    sizeBytes,
    etag,
  });
  /** Parts of the upload that another attempt could use. */
  let reusable = plan.kept.parts.length;
  try {
    const uploaded = await uploadMultipart({
      s3,
      bucket: job.storage.bucket,
      key: objectKey(job.claim.s3_path),
      pieces: input.equalParts ? plainPieces(archive.pieces) : archive.pieces,
      expectedBytes: expectedBytes(from.dump, plan),
      ...(earlier === undefined ? {} : { earlier }),
      ...copiesOf(input, plan),
      concurrency: UPLOAD_CONCURRENCY,
      signal: job.signal,
      onUploaded: (total) => {
        job.progress.bytesUploaded = total;
      },
      onOpen: async (upload) => {
        opened = openedRecord(input, plan, upload);
        ledger = await beginLedger(input, plan, opened);
      },
      onPart: ({ frames, ...part }) => {
        const [first] = frames;
        if (first === undefined) return;
        reusable += 1;
        ledger?.note(partRecord({ ...part, tarOffset: first.tarOffset, frames }));
      },
      // The lease must be ours at the one moment after which the archive is there for everybody.
      beforeComplete: async ({ sizeBytes }) => {
        const report = input.reportOf(madeOf({ sizeBytes, etag: "" }));
        await ledger?.completing(report).catch((error: unknown) => {
          job.log.warn("ledger.not_written", { error });
        });
        await job.lease.renew();
        job.stages.enter("complete");
      },
      isWorthKeeping: (error) => reusable > 0 && mayGoOn(error),
      onAborted: () => job.uploads.drop(job.claim.job.id),
      onNotAborted: async (error) => {
        job.log.warn("upload.not_aborted", { error });
        if (opened !== undefined) await job.uploads.abandon(opened);
      },
    });
    return madeOf(uploaded);
  } finally {
    await ledger?.close();
  }
}

function limitsFor(earlier: Resumable | undefined): CopyLimits {
  const used = earlier?.firstNumber ?? 0;
  return { ...S3_COPY_LIMITS, maxCopyParts: Math.max(0, S3_COPY_LIMITS.maxCopyParts - used) };
}

/** Nothing of it is of use any more: it is ended, and this attempt begins its own. */
async function earlierUpload(
  { job, s3, earlier }: SendInput,
  { kept }: PackPlan,
): Promise<EarlierUpload | undefined> {
  if (earlier === undefined) return undefined;
  const { opened } = earlier.ledger;
  if (kept.parts.length === 0) {
    await endUpload(job, s3, opened);
    return undefined;
  }
  job.log.info("upload.resumed", { key: opened.key, parts: kept.parts.length, bytes: kept.bytes });
  const stored = new Map(earlier.parts.map((part) => [part.number, part]));
  return {
    ...placeOf(opened),
    token: opened.token,
    kept: kept.parts.map(({ number }) => ({
      PartNumber: number,
      ETag: stored.get(number)?.etag,
      ChecksumCRC32: stored.get(number)?.crc32,
    })),
    keptBytes: kept.bytes,
    firstNumber: earlier.firstNumber,
  };
}

function streamFrom({ job, from }: SendInput, pack: PackSite, plan: PackPlan): ArchiveStream {
  const { dump, dumpedAt } = from;
  job.progress.bytesDone = dump.bytes;
  job.progress.bytesTotal = dump.bytes + plan.freshBytes;
  return streamArchive({
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
}

function expectedBytes(dump: Dump, { counts, freshBytes }: PackPlan): number {
  const entries = counts.unchanged + counts.changed + counts.added;
  return dump.compressedBytes + freshBytes + entries * INDEX_ENTRY_BYTES + INDEX_BASE_BYTES;
}

function copiesOf({ previous, copier }: SendInput, { copied }: PackPlan): Pick<UploadInput, "copies"> {
  if (previous.kind === "none" || copied.parts.length === 0) return {};
  return { copies: { source: previous.source, parts: copied.parts, s3: copier } };
}

async function* plainPieces(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece, void, undefined> {
  for await (const { frame: _frame, ...bytes } of pieces) yield bytes;
}

function openedRecord({ job, earlier }: SendInput, plan: PackPlan, upload: OpenUpload): Opened {
  const isEarlier = earlier?.ledger.opened.upload_id === upload.uploadId;
  return {
    is: "upload",
    version: 1,
    job_id: job.claim.job.id,
    site_id: job.site.id,
    bucket: upload.bucket,
    ...(job.claim.provider_id === undefined ? {} : { provider_id: job.claim.provider_id }),
    key: upload.key,
    upload_id: upload.uploadId,
    token: upload.token,
    opened_at: isEarlier ? earlier.ledger.opened.opened_at : job.now().toISOString(),
    last_number: isEarlier ? earlier.firstNumber - 1 : 0,
    gap: { tar_offset: plan.kept.tarBytes, tar_bytes: plan.copied.tarBytes },
  };
}

async function beginLedger(
  { job, earlier }: SendInput,
  { kept }: PackPlan,
  opened: Opened,
): Promise<LedgerWriter> {
  const reports = opened.last_number > 0 ? (earlier?.ledger.reports ?? []) : [];
  const records = firstRecords(opened, kept, { parts: earlier?.parts ?? [], reports });
  return await job.uploads.begin(records, (error) => job.log.warn("ledger.not_written", { error }));
}
