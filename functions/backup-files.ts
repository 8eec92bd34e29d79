// What is in an archive, one directory at a time, for people who look for the file to restore.
import { posix } from "node:path";
import type { ArchiveFile } from "#shared/contracts/backup-files.ts";
import { BackupError } from "#shared/errors.ts";
import { nameFromText, nameToText } from "#shared/format/entry-name.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";
import { openCursor, sealCursor } from "./core/cursor.ts";
import { createLevel, type LevelItem } from "./core/list-level.ts";
import { loadBackup } from "./http/load.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import { readIndexBlocks } from "./stores/archive-index.ts";
import { openRecords } from "./stores/records.ts";
import { openStorages } from "./stores/storages.ts";

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
      if (!level.exists()) {
        throw new BackupError("not_found", {
          detail: `The archive has nothing at ${query.prefix}.`,
          hint: "List the directory above it; names are case-sensitive.",
        });
      }
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
  },
);

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
