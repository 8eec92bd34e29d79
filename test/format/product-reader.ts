// All that the product checks when it reads an archive back, in one place for the tests of damage: tail, trailer, index,
// seek table, then every frame's hash and length.
import { hash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { decodeIndex } from "#runner/io/decode-index.ts";
import { corrupt } from "#shared/format/corrupt.ts";
import { decodeSeekTable } from "#shared/format/seek-table.ts";
import { type ByteRange, checkTrailer, locateArchiveParts, TAIL_BYTES } from "#shared/format/tail.ts";
import { decodeTrailer } from "#shared/format/trailer.ts";

/** Reads the whole object. @throws BackupError `archive_corrupt`. */
export async function readWithProduct(object: Buffer): Promise<void> {
  const layout = locateArchiveParts(object.subarray(-TAIL_BYTES), object.length);
  const part = ({ offset, bytes }: ByteRange): Buffer => object.subarray(offset, offset + bytes);
  const trailer = decodeTrailer(part(layout.trailer));
  checkTrailer(trailer, layout);
  if (hash("sha256", part(layout.index)) !== trailer.indexSha256) throw corrupt("The index is damaged");
  const { frames, header } = await decodeIndex(part(layout.index));
  const rows = decodeSeekTable(part(layout.seekTable));
  if (header.tar_bytes !== trailer.tarBytes) throw corrupt("Trailer and index disagree about the tar");
  if (frames.length !== layout.dataFrames) throw corrupt("Index and seek table count different frames");
  for (const [at, { offset, compressedBytes, tarBytes, sha256 }] of frames.entries()) {
    const stored = part({ offset, bytes: compressedBytes });
    const row = rows[at];
    if (row?.compressedBytes !== compressedBytes || row.decompressedBytes !== tarBytes) {
      throw corrupt("Index and seek table disagree about a frame");
    }
    if (hash("sha256", stored) !== sha256) throw corrupt("A frame is damaged");
    const tar = zstdDecompressSync(stored, { maxOutputLength: tarBytes });
    if (tar.length !== tarBytes) throw corrupt("A frame has another length than its line");
  }
}
