// What an archive needs and the dump does not: begun with the job, so that a backup does not wait for it later: the
// storage's clients, the packing thread, and in it the index of the archive that may be copied from.
import type { JobContext } from "./context.ts";
import { COPY_SILENCE_MS } from "./io/copy-parts.ts";
import { countRequests } from "./io/count-requests.ts";
import { type PackThread, startPackThread } from "./io/pack-thread.ts";
import { makeS3 } from "./io/s3-client.ts";
import { wantsEqualParts } from "./io/storage-quirks.ts";
import { findPrevious, type PreviousSource } from "./previous-archive-source.ts";
import type { SendInput } from "./send-archive.ts";

export interface ArchiveAhead extends AsyncDisposable {
  readonly clients: Pick<SendInput, "s3" | "copier">;
  /** By both clients so far. */
  requests(): number;
  /** Has been told the previous index, if there is one. */
  readonly thread: PackThread;
  /** Rejects with the signal's reason. */
  readonly way: Promise<ArchiveWay>;
}

export interface ArchiveWay {
  /** The storage is known to want parts of one size. */
  readonly equalParts: boolean;
  readonly previous: PreviousSource;
}

export function lookAhead(job: JobContext): ArchiveAhead {
  const { storage, s3Credentials, signal } = job;
  const clients = {
    s3: makeS3(storage, s3Credentials),
    copier: makeS3(storage, s3Credentials, COPY_SILENCE_MS),
  };
  const counts = Object.values(clients).map(countRequests);
  const thread = startPackThread(signal);
  const way = findWay(job, clients, thread);
  way.catch(() => undefined); // The job may end before anybody asks.
  return {
    clients,
    requests: () => counts.reduce((sum, count) => sum + count(), 0),
    thread,
    way,
    async [Symbol.asyncDispose]() {
      for (const client of Object.values(clients)) client.destroy();
      await thread[Symbol.asyncDispose]();
    },
  };
}

/** Where the storage copies nothing. */
export const WITHOUT_COPIES: PreviousSource = { kind: "none", reason: "copy_refused" };

async function findWay(
  job: JobContext,
  { s3 }: ArchiveAhead["clients"],
  thread: PackThread,
): Promise<ArchiveWay> {
  const { endpoint, features } = job.storage;
  const equalParts =
    features?.mixed_part_sizes === false || (await wantsEqualParts(job.quirksFile, endpoint));
  const canCopy = !equalParts && features?.part_copy !== false;
  const previous = canCopy ? await findPrevious(job, s3) : WITHOUT_COPIES;
  if (previous.kind === "previous") thread.readIndex(previous.index);
  return { equalParts, previous };
}
