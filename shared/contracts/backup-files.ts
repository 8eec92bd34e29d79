// What an archive holds, as a directory listing.
import * as z from "zod";
import { Bytes, PageQuery, Timestamp } from "./common.ts";

export const FilesQuery = PageQuery.extend({
  prefix: z
    .string()
    .max(4096)
    .default("")
    .describe("The directory to list: `wp-content/uploads`; the top if empty"),
});

export const ArchiveFile = z.object({
  name: z.string().describe("In its directory; bytes that are not UTF-8 show as `\\xNN`"),
  path: z.string().describe("In the archive: what `paths` of a restore takes"),
  type: z.enum(["file", "directory", "symlink", "hardlink"]),
  size_bytes: Bytes.describe("Of a directory: all files below it"),
  files: z.int().min(0).describe("How many files that is"),
  modified_at: Timestamp.nullable(),
});
export type ArchiveFile = z.infer<typeof ArchiveFile>;

export const FileQuery = z.strictObject({
  path: z.string().min(1).max(4096).describe("As the listing names it"),
  offset: z.coerce.number().int().min(0).default(0).describe("Where in the file the piece begins"),
});

export const FilePiece = z.object({
  file_name: z.string().describe("Safe to save it as"),
  size_bytes: Bytes.describe("Of the whole file"),
  offset: Bytes,
  content: z.base64().describe("Up to 4 MiB of it"),
  next_offset: Bytes.nullable().describe("Of the next piece; null: this was the last one"),
});
export type FilePiece = z.infer<typeof FilePiece>;
