// An open archive as what a restore into a live site is made from.
import { join } from "node:path";
import type { FoundArchive } from "./find-archive.ts";
import {
  extractArchive,
  type Extracted as FromArchive,
  planExtraction,
} from "./io/restore/extract-archive.ts";
import { extractPlain } from "./io/restore/extract-plain.ts";
import { readPlainList } from "./io/restore/list-plain.ts";
import type { PlainArchive } from "./io/restore/open-archive.ts";
import { withoutDot } from "./io/restore/plain-tree.ts";
import { toBytes } from "./plan/byte-string.ts";
import type { EntryTable } from "./plan/copy/entry-table.ts";
import type { Owner } from "./plan/restore/owner-map.ts";
import { createWanted, DATABASE_NAME, type Selection } from "./plan/restore/select-entries.ts";
import type { Extraction, Measured, RestoreSource } from "./restore-context.ts";

const SAMPLE_NAMES = 20;

export function archiveRestoreSource({ archive, label, record }: FoundArchive): RestoreSource {
  return {
    name: record === undefined ? label : `${label} (${record.backup_id})`,
    siteId: record?.site_id,
    madeOf: archive.kind === "indexed" ? archive.header.site_id : undefined,
    owner: archive.kind === "indexed" ? ownerOf(archive.entries) : undefined,
    async measure(what, { signal }) {
      if (archive.kind !== "indexed") return await measurePlain(archive, selectionFor(what), signal);
      const { result, selected } = planExtraction(archive, selectionFor(what));
      const { files, filesBytes, dbBytes } = result;
      const sample = selected.files
        .slice(0, SAMPLE_NAMES)
        .map((id) => toBytes(archive.entries.name(id)).toString("utf8"));
      return { files, filesBytes, dbBytes, sample };
    },
    async extract(into, what, { signal, onProgress, owners }) {
      const how = {
        owners,
        selection: selectionFor(what),
        targetDir: into,
        signal,
        ...(onProgress === undefined ? {} : { onProgress }),
      };
      const extracted: FromArchive =
        archive.kind === "indexed"
          ? await extractArchive({ archive, ...how })
          : await extractPlain({ archive, ...how });
      const { files, filesBytes, dbBytes, dbPath } = extracted;
      const { bytes: bytesDownloaded, requests } = archive.reader.traffic();
      const dump = dbPath === undefined ? {} : { dbPath: join(into, dbPath) };
      return { files, filesBytes, dbBytes, bytesDownloaded, requests, ...dump };
    },
  };
}

function ownerOf(entries: EntryTable): Owner | undefined {
  const id = entries.find("wp-content");
  if (id === -1) return undefined;
  const { uid, gid } = entries.stat(id);
  return { uid, gid };
}

/** Nothing says what is in it but the tar itself; better read it twice than fill the disk of a live site. */
async function measurePlain(
  archive: PlainArchive,
  selection: Selection,
  signal: AbortSignal,
): Promise<Measured> {
  const { wants } = createWanted(selection);
  let [files, filesBytes, dbBytes] = [0, 0, 0];
  const sample: string[] = [];
  await readPlainList(
    archive,
    ({ type, name: raw, size }) => {
      const name = withoutDot(raw);
      if ((type !== "f" && type !== "h") || !wants(name)) return;
      if (name === DATABASE_NAME) {
        dbBytes = size;
        return;
      }
      [files, filesBytes] = [files + 1, filesBytes + (type === "f" ? size : 0)];
      if (sample.length < SAMPLE_NAMES) sample.push(toBytes(name).toString("utf8"));
    },
    signal,
  );
  return { files, filesBytes, dbBytes, sample };
}

/** There, paths narrow the parts down; here, they come in addition. */
function selectionFor({ only, paths }: Extraction): Selection {
  if (paths.length === 0) return { only };
  return {
    paths: [
      ...paths.map((path) => toBytes(path).toString("utf8")),
      ...(only.includes("config") ? ["wp-config.php"] : []),
      ...(only.includes("db") ? [DATABASE_NAME] : []),
    ],
  };
}
