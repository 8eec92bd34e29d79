// The storage as one archive needs it: its clients, and what it says of the archive that may be copied from.
import type { AheadJob, ExpectedWay } from "./archive-ahead.ts";
import { COPY_SILENCE_MS } from "./io/copy-parts.ts";
import { countRequests } from "./io/count-requests.ts";
import { makeS3 } from "./io/s3-client.ts";
import { findPrevious, type PreviousSource } from "./previous-archive-source.ts";
import type { SendInput } from "./send-archive.ts";

export interface ArchiveStorage extends Disposable {
  readonly clients: Pick<SendInput, "s3" | "copier">;
  /** By both clients so far. */
  requests(): number;
  readonly way: ArchiveWay;
}

export interface ArchiveWay {
  /** The storage is known to want parts of one size. */
  readonly equalParts: boolean;
  readonly previous: PreviousSource;
}

/** Where the storage copies nothing. */
export const WITHOUT_COPIES: PreviousSource = { kind: "none", reason: "copy_refused" };

/** @throws the signal's reason. */
export async function openArchiveStorage(
  job: AheadJob,
  { equalParts, source }: ExpectedWay,
): Promise<ArchiveStorage> {
  const { storage, s3Credentials } = job;
  const clients = {
    s3: makeS3(storage, s3Credentials),
    copier: makeS3(storage, s3Credentials, COPY_SILENCE_MS),
  };
  const counts = Object.values(clients).map(countRequests);
  const close = (): void => {
    for (const client of Object.values(clients)) client.destroy();
  };
  try {
    return {
      clients,
      requests: () => counts.reduce((sum, count) => sum + count(), 0),
      way: { equalParts, previous: await findPrevious(job, source, clients.s3) },
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
