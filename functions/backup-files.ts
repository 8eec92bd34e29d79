// What is in an archive, one directory at a time, for people who look for the file to restore; and one file of it, piece by
// piece, because an answer of Lambda is 6 MB at most.
import { posix } from "node:path";
import type { ArchiveFile } from "#shared/contracts/backup-files.ts";
import { BackupError } from "#shared/errors.ts";
import { nameFromText, nameToText } from "#shared/format/entry-name.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { openCursor, sealCursor } from "./core/cursor.ts";
import { checkDownloadable, namedAs, safeFileName } from "./core/find-file.ts";
import { createLevel, type LevelItem } from "./core/list-level.ts";
import { loadBackup } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { findFile, readFilePiece } from "./stores/archive-file.ts";
import { readIndexBlocks } from "./stores/archive-index.ts";
import { openRecords } from "./stores/records.ts";
import { openStorages } from "./stores/storages.ts";

/** As base64 in JSON that is 5.6 MB. */
const PIECE_BYTES = 4 * 1_048_576;
/** Larger ones are for a restore: each piece reads the index again. */
const MAX_FILE_BYTES = 256 * 1_048_576;

export const handler: ApiHandler = serve(
  { records: openRecords, storages: openStorages },
  {
    async listBackupFiles({ params, query }, deps) {
      const backup = await loadBackup(params.id, deps);
      const prefix = nameFromText(query.prefix.replace(/^\/+|\/+$/g, ""));
      const list = `files/${backup.id}/${prefix}`;
      const after = query.cursor === undefined ? undefined : openCursor(list, query.cursor);
      const level = createLevel(prefix, query.limit, after);
      const decoder = createIndexDecoder({
        header: nothing,
        frame: nothing,
        entry: (entry) => level.entry(entry),
      });
      await readIndexBlocks(await deps.storages.at(backup.provider_id), backup, decoder.write);
      decoder.end();
      if (!level.exists()) throw nothingAt(query.prefix);
      if (level.isFile()) {
        throw new BackupError("invalid_request", { detail: `${query.prefix} is no directory.` });
      }
      const { items, hasMore } = level.items();
      const last = items.at(-1)?.name;
      return {
        items: items.map((item) => viewItem(item, prefix)),
        next_cursor: hasMore && last !== undefined ? sealCursor(list, last) : null,
      };
    },

    async getBackupFile({ params, query, activity }, deps) {
      const { path, offset } = query;
      const backup = await loadBackup(params.id, deps);
      const objects = await deps.storages.at(backup.provider_id);
      const file = await findFile(objects, backup, namedAs(path));
      if (file === undefined) throw nothingAt(path);
      const { entry } = file;
      checkDownloadable(entry, path, MAX_FILE_BYTES);
      if (offset > entry.size) {
        throw new BackupError("invalid_request", { detail: `${path} has ${entry.size} bytes only.` });
      }
      const bytes = Math.min(PIECE_BYTES, entry.size - offset);
      const content = await readFilePiece(objects, backup, file, { offset, bytes });
      activity.details = { site_id: backup.site_id, path, offset, bytes };
      return {
        file_name: safeFileName(path),
        size_bytes: entry.size,
        offset,
        content: content.toString("base64"),
        next_offset: offset + bytes < entry.size ? offset + bytes : null,
      };
    },
  },
);

function nothingAt(path: string): BackupError {
  return new BackupError("not_found", {
    detail: `The archive has nothing at ${path}.`,
    hint: "List the directory above it; names are case-sensitive.",
  });
}

const TYPES = { f: "file", d: "directory", l: "symlink", h: "hardlink" } as const;

function viewItem({ name, type, sizeBytes, files, mtimeNs }: LevelItem, prefix: string): ArchiveFile {
  return {
    name: nameToText(name),
    path: nameToText(posix.join(prefix, name)),
    type: TYPES[type],
    size_bytes: sizeBytes,
    files,
    modified_at: mtimeNs === undefined ? null : timeOf(mtimeNs),
  };
}

/** null where a hostile or broken clock left something that is no date. */
function timeOf(mtimeNs: bigint): string | null {
  const date = new Date(Number(mtimeNs / 1_000_000n));
  return date.getTime() >= 0 && date.getTime() < 253_402_300_800_000 ? date.toISOString() : null;
}

function nothing(): void {
  // Only entries are listed.
}
