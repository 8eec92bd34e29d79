// What this backup may copy from: the archive that the Master names and its index, or the reason why there is none.
// Nothing here fails a backup that can be made in full.

import type { S3Client } from "@aws-sdk/client-s3";
import type { FullReason } from "#shared/contracts/backups.ts";
import type { Claim } from "#shared/contracts/jobs.ts";
import { BackupError } from "#shared/errors.ts";
import { objectKey } from "#shared/object-key.ts";
import type { JobContext } from "./context.ts";
import type { CopySource } from "./io/copy-parts.ts";
import { readCachedIndex } from "./io/index-cache.ts";
import { isThatObject, readIndex } from "./io/read-index.ts";
import { copyRefusal } from "./plan/storage-error.ts";

export type PreviousSource =
  | { readonly kind: "previous"; readonly source: CopySource; readonly index: Uint8Array }
  | { readonly kind: "none"; readonly reason: FullReason };

/** Of a job. */
export interface PreviousAsked extends Pick<JobContext, "indexCacheFile" | "signal" | "log"> {
  readonly claim: Pick<Claim, "previous" | "no_previous"> & { readonly job: Pick<Claim["job"], "full"> };
  readonly storage: { readonly bucket: string };
}

/** One in so many backups copies nothing, so that what lies unread in the storage does not do so for ever. */
const FULL_EVERY = 30;

/** Of refusals, what is true of the previous archive for whatever is done with it. */
const SAYS_OF_SOURCE = new Set<FullReason>(["source_gone", "source_changed", "source_cold"]);

/** @throws the signal's reason. */
export async function findPrevious(job: PreviousAsked, s3: S3Client): Promise<PreviousSource> {
  const { previous } = job.claim;
  if (job.claim.job.full) return { kind: "none", reason: "requested" };
  if (previous === undefined) return { kind: "none", reason: job.claim.no_previous ?? "no_previous" };
  if (previous.backups_since_full >= FULL_EVERY - 1) return { kind: "none", reason: "periodic" };
  const source = { key: objectKey(previous.s3_path), etag: previous.etag };
  const stored = {
    ...source,
    bucket: job.storage.bucket,
    sizeBytes: previous.size_bytes,
    sha256Index: previous.sha256_index,
  };
  const cached = await readCachedIndex(job.indexCacheFile, previous.sha256_index).catch((error: unknown) => {
    job.log.warn("index_cache.unreadable", { error });
    return undefined;
  });
  try {
    // Reading the index looks at the object as well.
    if (cached !== undefined && !(await isThatObject(s3, stored, job.signal)))
      return { kind: "none", reason: "source_changed" };
    return { kind: "previous", source, index: cached ?? (await readIndex(s3, stored, job.signal)) };
  } catch (error) {
    job.signal.throwIfAborted();
    job.log.warn("previous.unreadable", { backup_id: previous.backup_id, error });
    const refusal = error instanceof BackupError ? undefined : copyRefusal(error);
    return {
      kind: "none",
      reason: refusal !== undefined && SAYS_OF_SOURCE.has(refusal) ? refusal : "previous_unreadable",
    };
  }
}
