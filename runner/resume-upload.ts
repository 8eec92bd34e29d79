// Finds what an earlier attempt has left in the storage for this job to go on with, and ends what nobody will: of the
// ledger only that is believed which the storage confirms.
import type { S3Client } from "@aws-sdk/client-s3";
import { objectKey } from "#shared/object-key.ts";
import type { JobContext } from "./context.ts";
import type { LedgerHead } from "./io/ledger-head.ts";
import { abortUpload } from "./io/multipart.ts";
import { type ListedPart, listParts } from "./io/open-upload.ts";
import { makeS3 } from "./io/s3-client.ts";
import type { Ledger, LedgerPart, Opened } from "./io/upload-ledger.ts";
import type { UploadPlace } from "./io/upload-parts.ts";
import { partBytesOf } from "./plan/copy/sent-parts.ts";
import { MIN_PART_BYTES } from "./plan/part-sizes.ts";
import { hasNumbersLeft } from "./plan/resume.ts";

export interface Resumable {
  readonly ledger: Ledger;
  /** That the storage has as the ledger says. */
  readonly parts: readonly LedgerPart[];
  /** Of the first new part. */
  readonly firstNumber: number;
}

/** More than were ever on their way at once: their numbers may come into use after we have looked. */
const NUMBERS_IN_FLIGHT = 16;

/** Nothing can be resumed with `equalParts`. @throws BackupError `storage_*`; the signal's reason. */
export async function findResumable(
  job: JobContext,
  s3: S3Client,
  { equalParts }: { readonly equalParts: boolean },
): Promise<Resumable | undefined> {
  const { claim } = job;
  let found: Resumable | undefined;
  for (const head of await job.uploads.left(claim.job.id)) {
    if (head.opened.site_id !== job.site.id) continue;
    const isNew = found === undefined && !equalParts && isForThis(job, head);
    const ledger = isNew ? await job.uploads.read(head.opened.job_id) : undefined;
    const confirmed = ledger === undefined ? undefined : await confirm(job, s3, ledger);
    found ??= confirmed;
    if (confirmed === undefined) await endUpload(job, s3, head.opened);
  }
  return found;
}

export function placeOf({ bucket, key, upload_id: uploadId }: Opened): UploadPlace {
  return { bucket, key, uploadId };
}

/** Aborts it, now or at a later start. `s3`: of the job's own storage. */
export async function endUpload(job: JobContext, s3: S3Client, opened: Opened): Promise<void> {
  const { uploads, log } = job;
  try {
    if (isInStorageOf(job, opened)) await abortUpload(s3, placeOf(opened));
    else await abortElsewhere(job, opened);
    await uploads.drop(opened.job_id);
  } catch (error) {
    log.warn("upload.not_aborted", { key: opened.key, error });
    await uploads.abandon(opened);
  }
}

/** The site was given another storage since. */
async function abortElsewhere({ storages, log }: JobContext, opened: Opened): Promise<void> {
  const { provider_id: providerId, key } = opened;
  const storage = await storages.storageOf(providerId);
  // None that this node has keys of: a lifecycle rule of that storage is what is left.
  if (storage === undefined) return log.warn("upload.left_behind", { key, provider_id: providerId });
  const s3 = makeS3(storage, () => storages.credentialsOf(providerId));
  try {
    await abortUpload(s3, placeOf(opened));
  } finally {
    s3.destroy();
  }
}

function isInStorageOf({ claim }: JobContext, opened: Opened): boolean {
  return opened.provider_id === claim.provider_id;
}

function isForThis(job: JobContext, { opened, isAbandoned, hasParts }: LedgerHead): boolean {
  const { claim, storage } = job;
  const isSamePlace =
    isInStorageOf(job, opened) && opened.bucket === storage.bucket && opened.key === objectKey(claim.s3_path);
  // Whoever asks for everything anew does not trust what is there.
  const isTrusted = !claim.job.full || opened.job_id === claim.job.id;
  return isSamePlace && isTrusted && !isAbandoned && hasParts;
}

async function confirm(job: JobContext, s3: S3Client, ledger: Ledger): Promise<Resumable | undefined> {
  const listed = await listParts(s3, placeOf(ledger.opened), job.signal);
  if (listed === undefined) {
    job.log.warn("upload.gone", { key: ledger.opened.key });
    return undefined;
  }
  const parts = ledger.parts.filter((part) => isThere(part, listed.get(part.number)));
  const numbers = [ledger.opened.last_number, ...ledger.parts.map(({ number }) => number), ...listed.keys()];
  const lastNumber = numbers.reduce((a, b) => Math.max(a, b), 0);
  if (parts.length === 0 || !hasNumbersLeft(lastNumber)) return undefined;
  return { ledger, parts, firstNumber: lastNumber + NUMBERS_IN_FLIGHT + 1 };
}

function isThere(part: LedgerPart, listed: ListedPart | undefined): boolean {
  const bytes = partBytesOf(part);
  // It will not be the last one any more.
  return listed?.bytes === bytes && listed.etag === part.etag && bytes >= MIN_PART_BYTES;
}
