// From what an operator calls a backup to an open archive: a file on this machine, or an object that the Master
// vouches for.
import type { SourceBackup } from "#shared/contracts/restores.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type BackupsDeps, findBackupId } from "./find-backup.ts";
import { openFileSource } from "./io/restore/file-source.ts";
import { openObjectReader } from "./io/restore/object-reader.ts";
import { type OpenArchive, openArchive } from "./io/restore/open-archive.ts";
import { openUrlSource } from "./io/restore/url-source.ts";
import type { ExtractionFacts } from "./plan/restore/describe-extraction.ts";

export interface FoundArchive extends AsyncDisposable {
  readonly archive: OpenArchive;
  readonly trust: ExtractionFacts["trust"];
  /** For messages. */
  readonly label: string;
  /** The Master's record; undefined for a file. */
  readonly record?: SourceBackup;
}

/** Whether `name` is meant as a path; a backup's id has neither. */
export function isPath(name: string): boolean {
  return name.includes("/") || name.includes(".");
}

/** @throws BackupError `archive_*`; the signal's reason. */
export async function openFileArchive(path: string, signal: AbortSignal): Promise<FoundArchive> {
  await using opening = new AsyncDisposableStack();
  const reader = opening.use(openObjectReader(await openFileSource(path), systemClock));
  const archive = await openArchive(reader, { signal });
  const trust = archive.kind === "indexed" ? "index" : "none";
  const opened = opening.move();
  return { archive, trust, label: path, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** @throws BackupError `not_found`, `archive_*`, `storage_*`; the signal's reason. */
export async function openBackup(
  name: string,
  site: string | undefined,
  deps: BackupsDeps,
): Promise<FoundArchive> {
  const id = await findBackupId(name, site, deps);
  const load = (): Promise<SourceBackup> =>
    deps.master.call("getNodeBackup", { params: { id }, signal: deps.signal });
  return await openSource(await load(), { renew: load, clock: systemClock, signal: deps.signal });
}

export interface SourceDeps {
  /** The same with a new URL. */
  readonly renew: () => Promise<SourceBackup>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The archive that the Master names, read by its URL and held against its record. */
export async function openSource(record: SourceBackup, deps: SourceDeps): Promise<FoundArchive> {
  await using opening = new AsyncDisposableStack();
  const label = record.s3_path.slice(record.s3_path.lastIndexOf("/") + 1);
  const place = { label, sizeBytes: record.size_bytes, etag: record.etag };
  const source = openUrlSource({ ...place, url: renewing(record, deps.renew) });
  const reader = opening.use(openObjectReader(source, deps.clock));
  const archive = await openArchive(reader, { sha256Index: record.sha256_index, signal: deps.signal });
  const opened = opening.move();
  return { archive, trust: "record", label, record, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Several requests find at the same time that the URL has ended: one of them asks. */
function renewing(
  first: SourceBackup,
  renew: () => Promise<SourceBackup>,
): (refused: string | undefined) => Promise<string> {
  let current = Promise.resolve(first.url);
  let known = first.url;
  return async (refused) => {
    if (refused === known) {
      current = renew().then(({ url }) => {
        known = url;
        return url;
      });
      known = "";
    }
    return await current;
  };
}
