// The first line of an index: how much follows, and where the database is, so that restoring only the database needs
// no entry line at all.
import * as z from "zod";
import { corrupt } from "./corrupt.ts";
import { FORMAT_VERSION } from "./trailer.ts";

const Count = z.int().min(0);
const Uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);

/** Unknown keys are dropped: later writers of version 1 may add some. */
const Header = z.object({
  format: z.literal("backupd"),
  version: z.literal(FORMAT_VERSION),
  created_at: z.iso.datetime(),
  tool: z.string().max(200),
  node_id: Uuid,
  site_id: Uuid,
  /** Length of the tar, its end included. */
  tar_bytes: Count,
  /** Where the tar's end-of-archive blocks start: the end of the last entry. */
  entries_end: Count.multipleOf(512),
  frames: Count,
  entries: Count,
  /** The dump: its entry's name and place in the tar (headers and padding included), its length and hash. */
  database: z
    .object({
      name: z.string().min(1).max(255),
      tar_offset: Count.multipleOf(512),
      tar_bytes: Count.multipleOf(512),
      bytes: Count,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    })
    .nullable(),
});
export type IndexHeader = Readonly<z.infer<typeof Header>>;

const END_OF_ARCHIVE_BYTES = 1024;

export function encodeHeader(header: IndexHeader): string {
  return JSON.stringify(Header.parse(header));
}

/** `line` is the parsed first line. */
export function decodeHeader(line: unknown): IndexHeader {
  const parsed = Header.safeParse(line);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw corrupt(`The index's header line is not valid (${fields || "no object"})`, parsed.error);
  }
  const header = parsed.data;
  if (header.entries_end + END_OF_ARCHIVE_BYTES > header.tar_bytes) {
    throw corrupt("The index leaves no room for the tar's end");
  }
  const database = header.database;
  if (database !== null && database.tar_offset + database.tar_bytes > header.entries_end) {
    throw corrupt("The index places the database outside the tar");
  }
  return header;
}
