// What an archive needs and the dump does not, begun with the job, so that a backup does not wait for it later: the
// packing thread, the index of the archive that may be copied from, and the storage's word on that archive.
import { type ArchiveStorage, openArchiveStorage } from "./archive-storage.ts";
import type { JobContext } from "./context.ts";
import { type ExpectedSource, expectPrevious, type PreviousAsked } from "./expect-previous.ts";
import { type PackThread, startPackThread } from "./io/pack-thread.ts";
import type { Site } from "./io/site.ts";
import { wantsEqualParts } from "./io/storage-quirks.ts";

export interface ArchiveAhead extends AsyncDisposable {
  /** Maybe told the previous index, and to look at the site. */
  readonly thread: PackThread;
  /** Asks when it is first called. Rejects with the signal's reason. */
  storage(): Promise<ArchiveStorage>;
  /**
   * Has the thread look at the site as it is now, if what to compare it with is at hand. Not before the dump's snapshot:
   * every file that the dump knows of has to be seen.
   */
  survey(site: Site): void;
}

export interface ExpectedWay {
  /** The storage is known to want parts of one size. */
  readonly equalParts: boolean;
  readonly source: ExpectedSource;
}

/** What of a job is needed here. */
export type AheadJob = PreviousAsked &
  Pick<JobContext, "storage" | "s3Credentials" | "quirksFile" | "site" | "signal" | "begun">;

export function lookAhead(job: AheadJob): ArchiveAhead {
  const over = new AbortController();
  const thread = job.begun?.packThread ?? startPackThread(job.signal);
  let known: ExpectedWay | undefined;
  const expecting = expectWay(job).then((expected) => {
    known = expected;
    const { source } = expected;
    if (source.kind === "none") return expected;
    if (source.cached !== undefined) thread.readIndex(source.cached, source.stored.sha256Index);
    void storage(); // A distant one takes its time, which the dump takes as well.
    return expected;
  });
  expecting.catch(() => undefined); // As below.
  let asked: Promise<ArchiveStorage> | undefined;
  const storage = (): Promise<ArchiveStorage> => {
    if (asked !== undefined) return asked;
    const asking = { ...job, signal: AbortSignal.any([job.signal, over.signal]) };
    asked = askStorage(asking, expecting, thread);
    asked.catch(() => undefined); // The job may end before anybody waits for it.
    return asked;
  };
  return {
    thread,
    storage,
    survey({ configPath, contentDir }) {
      if (known === undefined) return;
      const { source } = known;
      if (source.kind === "expected" && source.cached === undefined) return;
      thread.survey({ configPath, contentDir, exclude: job.site.exclude }, source.kind === "expected");
    },
    async [Symbol.asyncDispose]() {
      over.abort(); // A storage that does not answer must not hold up a job that ends.
      await thread[Symbol.asyncDispose]();
      await asked?.then(
        (storage) => storage[Symbol.dispose](),
        () => undefined,
      );
    },
  };
}

async function expectWay(job: AheadJob): Promise<ExpectedWay> {
  const { endpoint, features } = job.storage;
  const equalParts =
    features?.mixed_part_sizes === false || (await wantsEqualParts(job.quirksFile, endpoint));
  const canCopy = !equalParts && features?.part_copy !== false;
  return {
    equalParts,
    // Where the storage copies nothing.
    source: canCopy ? await expectPrevious(job) : { kind: "none", reason: "copy_refused" },
  };
}

async function askStorage(
  job: AheadJob,
  expecting: Promise<ExpectedWay>,
  thread: PackThread,
): Promise<ArchiveStorage> {
  const expected = await expecting;
  const storage = await openArchiveStorage(job, expected);
  const { previous } = storage.way;
  // It has the hash on record, or it would not have been believed.
  if (previous.kind === "previous" && expected.source.kind === "expected")
    thread.readIndex(previous.index, expected.source.stored.sha256Index);
  return storage;
}
