// `backupd files`: what is in an archive, from its index alone where it has one.
import { BackupError } from "#shared/errors.ts";
import { readPlainList } from "./io/restore/list-plain.ts";
import type { OpenArchive } from "./io/restore/open-archive.ts";
import { createListing, type ListedEntry } from "./plan/restore/list-entries.ts";

/** @throws BackupError `archive_path_unknown`, and what reading throws. */
export async function listFiles(
  archive: OpenArchive,
  prefix: string,
  isDeep: boolean,
  signal: AbortSignal,
): Promise<ListedEntry[]> {
  const listing = createListing(prefix, isDeep);
  if (archive.kind === "plain") await readPlainList(archive, (entry) => listing.see(entry), signal);
  else for (let id = 0; id < archive.entries.count(); id += 1) listing.see(archive.entries.stat(id));
  const rows = listing.list();
  if (rows.length === 0 && prefix !== "") {
    throw new BackupError("archive_path_unknown", { detail: `The archive has nothing in ${prefix}` });
  }
  return rows;
}
