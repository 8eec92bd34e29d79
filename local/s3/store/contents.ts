// Contents: the immutable segment lists that objects and upload parts own, and the freeing of part files with the
// last segment that names them.
import type { Checksum } from "../checksums.ts";
import type { Database } from "./database.ts";
import { joinSegments, type Segment, sliceSegments, totalBytes } from "./segments.ts";
import type { Change } from "./store.ts";

interface SegmentRow {
  readonly start_bytes: number;
  readonly bytes: number;
  readonly part_file: string;
  readonly offset_bytes: number;
}

/** Enters a file that was just written, before the content that names it. */
export function addPartFile(change: Change, segment: Segment, checksum: Checksum | undefined): void {
  const crc = checksum?.algorithm.startsWith("CRC") ? checksum : undefined;
  change.db.run(
    "INSERT INTO part_files (name, bytes, crc_algorithm, crc) VALUES (?, ?, ?, ?)",
    segment.partFile,
    segment.bytes,
    crc?.algorithm ?? null,
    crc?.value ?? null,
  );
}

export function addContent(change: Change, segments: readonly Segment[]): number {
  const joined = joinSegments(segments);
  const contentId = change.db.run("INSERT INTO contents (bytes) VALUES (?)", totalBytes(joined));
  let startBytes = 0;
  for (const segment of joined) {
    change.db.run(
      "INSERT INTO segments (content_id, start_bytes, bytes, part_file, offset_bytes) VALUES (?, ?, ?, ?, ?)",
      contentId,
      startBytes,
      segment.bytes,
      segment.partFile,
      segment.offsetBytes,
    );
    startBytes += segment.bytes;
  }
  return contentId;
}

/** Call it after the row that owned the content is gone. */
export function dropContent(change: Change, contentId: number): void {
  const files = change.db.all<{ part_file: string }>(
    "SELECT DISTINCT part_file FROM segments WHERE content_id = ?",
    contentId,
  );
  change.db.run("DELETE FROM contents WHERE content_id = ?", contentId);
  for (const { part_file } of files) {
    if (change.db.get("SELECT 1 FROM segments WHERE part_file = ? LIMIT 1", part_file) !== undefined)
      continue;
    change.db.run("DELETE FROM part_files WHERE name = ?", part_file);
    change.freed.push(part_file);
  }
}

export function contentExists(db: Database, contentId: number): boolean {
  return db.get("SELECT 1 FROM contents WHERE content_id = ?", contentId) !== undefined;
}

/** The segments of a range; touches only their rows, so a small range of a huge object stays cheap. */
export function readSegments(
  db: Database,
  contentId: number,
  startBytes: number,
  lengthBytes: number,
): Segment[] {
  if (lengthBytes === 0) return [];
  const rows = db.all<SegmentRow>(
    `SELECT start_bytes, bytes, part_file, offset_bytes FROM segments
     WHERE content_id = ?1 AND start_bytes < ?3 AND start_bytes >=
       (SELECT max(start_bytes) FROM segments WHERE content_id = ?1 AND start_bytes <= ?2)
     ORDER BY start_bytes`,
    contentId,
    startBytes,
    startBytes + lengthBytes,
  );
  const segments = rows.map((row) => ({
    partFile: row.part_file,
    offsetBytes: row.offset_bytes,
    bytes: row.bytes,
  }));
  return sliceSegments(segments, startBytes - (rows[0]?.start_bytes ?? 0), lengthBytes);
}
