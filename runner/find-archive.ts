// From what an operator calls a backup to an open archive.
import { systemClock } from "./clock.ts";
import { openFileSource } from "./io/restore/file-source.ts";
import { openObjectReader } from "./io/restore/object-reader.ts";
import { type OpenArchive, openArchive } from "./io/restore/open-archive.ts";
import type { ExtractionFacts } from "./plan/restore/describe-extraction.ts";

export interface FoundArchive extends AsyncDisposable {
  readonly archive: OpenArchive;
  readonly trust: ExtractionFacts["trust"];
}

/** @throws BackupError `archive_*`; the signal's reason. */
export async function openFileArchive(path: string, signal: AbortSignal): Promise<FoundArchive> {
  await using opening = new AsyncDisposableStack();
  const reader = opening.use(openObjectReader(await openFileSource(path), systemClock));
  const archive = await openArchive(reader, { signal });
  const opened = opening.move();
  const trust = archive.kind === "indexed" ? "index" : "none";
  return { archive, trust, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
