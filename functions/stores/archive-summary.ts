// What an archive's index says of the archive, every line of it checked: for one that is on no record.
import { corrupt } from "#shared/format/corrupt.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import type { ArchiveSummary } from "../core/adopt-archive.ts";
import { type IndexPlace, readIndex } from "./archive-index.ts";
import type { Objects } from "./objects.ts";

/** @throws BackupError `archive_corrupt`, `archive_unavailable`. */
export async function summarizeArchive(
  objects: Pick<Objects, "read">,
  place: IndexPlace,
): Promise<ArchiveSummary> {
  let header: IndexHeader | undefined;
  let files = 0;
  let filesBytes = 0;
  const decoder = createIndexDecoder({
    header: (line) => {
      header = line;
    },
    frame: () => undefined,
    entry: ({ type, size }) => {
      if (type !== "f") return;
      files += 1;
      filesBytes += size;
    },
  });
  const { sha256, bytes, trailerSha256 } = await readIndex(objects, place, decoder.write);
  decoder.end();
  if (sha256 !== trailerSha256) throw corrupt("The index is not the one that the trailer names");
  if (header === undefined) throw corrupt("The index is empty");
  // The dump is a file of the archive, but none of the site.
  const dump = header.database === null ? { files: 0, bytes: 0 } : { files: 1, bytes: header.database.bytes };
  const site = { files: Math.max(0, files - dump.files), files_bytes: Math.max(0, filesBytes - dump.bytes) };
  return { header, sha256_index: sha256, index_bytes: bytes, ...site };
}
