// Entries of an open archive as the workers want them.
import { nameFromText } from "#shared/format/entry-name.ts";
import type { ByteString } from "../../plan/byte-string.ts";
import type { ExpectedEntry } from "../../plan/restore/checked-entries.ts";
import type { TarSpan } from "../../plan/restore/plan-reads.ts";
import { DATABASE_NAME } from "../../plan/restore/select-entries.ts";
import type { IndexedArchive } from "./open-archive.ts";

/** The dump's name is text in the header, and bytes among the entries. */
export function databaseNameOf({ header }: IndexedArchive): ByteString {
  return header.database === null ? DATABASE_NAME : nameFromText(header.database.name);
}

/** Where entry `id` ends in the tar. */
export function tarEnd({ entries, header }: IndexedArchive, id: number): number {
  return id + 1 < entries.count() ? entries.tarOffset(id + 1) : header.entries_end;
}

export function expectedEntry({ entries }: IndexedArchive, { id, from, to }: TarSpan): ExpectedEntry {
  return { entry: { ...entries.stat(id), tarOffset: from, flags: entries.flags(id) }, tarEnd: to };
}
