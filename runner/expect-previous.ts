// What this backup may copy from, as far as the node knows without asking the storage: the archive that the Master names
// and the index that was kept of it, or the reason why nothing can be copied.
import type { FullReason } from "#shared/contracts/backups.ts";
import type { Claim } from "#shared/contracts/jobs.ts";
import { objectKey } from "#shared/object-key.ts";
import type { JobContext } from "./context.ts";
import { readCachedIndex } from "./io/index-cache.ts";
import type { StoredArchive } from "./io/read-index.ts";

export type ExpectedSource =
  | { readonly kind: "none"; readonly reason: FullReason }
  | {
      readonly kind: "expected";
      readonly backupId: string;
      readonly stored: StoredArchive;
      /** That this node has kept. */
      readonly cached: Uint8Array | undefined;
    };

/** Of a job. */
export interface PreviousAsked extends Pick<JobContext, "indexCacheFile" | "signal" | "log"> {
  readonly claim: Pick<Claim, "previous" | "no_previous"> & { readonly job: Pick<Claim["job"], "full"> };
  readonly storage: { readonly bucket: string };
}

/** One in so many backups copies nothing, so that what lies unread in the storage does not do so for ever. */
const FULL_EVERY = 30;

/** Never throws. */
export async function expectPrevious(job: PreviousAsked): Promise<ExpectedSource> {
  const { previous } = job.claim;
  if (job.claim.job.full) return { kind: "none", reason: "requested" };
  if (previous === undefined) return { kind: "none", reason: job.claim.no_previous ?? "no_previous" };
  if (previous.backups_since_full >= FULL_EVERY - 1) return { kind: "none", reason: "periodic" };
  const kept = await readCachedIndex(job.indexCacheFile).catch((error: unknown) => {
    job.log.warn("index_cache.unreadable", { error });
    return undefined;
  });
  return {
    kind: "expected",
    backupId: previous.backup_id,
    stored: {
      bucket: job.storage.bucket,
      key: objectKey(previous.s3_path),
      etag: previous.etag,
      sizeBytes: previous.size_bytes,
      sha256Index: previous.sha256_index,
    },
    cached: kept?.sha256 === previous.sha256_index ? kept.index : undefined,
  };
}
