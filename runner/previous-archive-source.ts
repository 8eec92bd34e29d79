// The archive that this backup copies from, when the storage has been asked, or the reason why there is none. Nothing here
// fails a backup that can be made in full.
import type { S3Client } from "@aws-sdk/client-s3";
import type { FullReason } from "#shared/contracts/backups.ts";
import { BackupError } from "#shared/errors.ts";
import type { ExpectedSource, PreviousAsked } from "./expect-previous.ts";
import type { CopySource } from "./io/copy-parts.ts";
import { isThatObject, readIndex } from "./io/read-index.ts";
import { copyRefusal } from "./plan/storage-error.ts";

export type PreviousSource =
  | { readonly kind: "previous"; readonly source: CopySource; readonly index: Uint8Array }
  | { readonly kind: "none"; readonly reason: FullReason };

/** Of refusals, what is true of the previous archive for whatever is done with it. */
const SAYS_OF_SOURCE = new Set<FullReason>(["source_gone", "source_changed", "source_cold"]);

/** @throws the signal's reason. */
export async function findPrevious(
  job: Pick<PreviousAsked, "signal" | "log">,
  expected: ExpectedSource,
  s3: S3Client,
): Promise<PreviousSource> {
  if (expected.kind === "none") return expected;
  const { stored, cached, backupId } = expected;
  const source = { key: stored.key, etag: stored.etag };
  try {
    // Reading the index looks at the object as well.
    if (cached !== undefined && !(await isThatObject(s3, stored, job.signal)))
      return { kind: "none", reason: "source_changed" };
    return { kind: "previous", source, index: cached ?? (await readIndex(s3, stored, job.signal)) };
  } catch (error) {
    job.signal.throwIfAborted();
    job.log.warn("previous.unreadable", { backup_id: backupId, error });
    const refusal = error instanceof BackupError ? undefined : copyRefusal(error);
    return {
      kind: "none",
      reason: refusal !== undefined && SAYS_OF_SOURCE.has(refusal) ? refusal : "previous_unreadable",
    };
  }
}
