// Puts an archive together: database.sql, wp-config.php, wp-content, the end of the tar; every piece whole zstd frames
// of its own, so that `zstd -d` sees one stream and we can find, check and reuse the pieces.
import { END_OF_ARCHIVE_BYTES, encodeTarEntry, paddingBytes } from "../plan/tar-entry.ts";
import { type CompressedFrame, compressFrames, type PlainFrame } from "./compress.ts";
import type { Dump } from "./dump.ts";
import type { PackSite } from "./pack-site.ts";

export interface ArchiveInput {
  readonly dump: Pick<Dump, "bytes" | "frames">;
  /** When the dump was made: database.sql's time in the archive. */
  readonly dumpedAt: Date;
  readonly pack: Pick<PackSite, "frames">;
  /** Frames compressed at once. */
  readonly concurrency: number;
  /** Plain bytes put into the archive so far, after each frame. */
  readonly onBytes?: (tarBytes: number) => void;
}

export interface ArchiveFrames {
  /** Compressed frames in order; once only. */
  readonly frames: AsyncIterable<Buffer>;
  /** Complete after the last frame. */
  counts(): { readonly frames: number; readonly tarBytes: number };
}

export function archiveFrames(input: ArchiveInput): ArchiveFrames {
  let [frames, tarBytes] = [0, 0];
  async function* counted(): AsyncGenerator<Buffer, void, undefined> {
    for await (const { bytes, rawBytes } of allFrames(input)) {
      frames += 1;
      tarBytes += rawBytes;
      input.onBytes?.(tarBytes);
      yield bytes;
    }
  }
  return { frames: counted(), counts: () => ({ frames, tarBytes }) };
}

async function* allFrames(input: ArchiveInput): AsyncGenerator<CompressedFrame, void, undefined> {
  const { dump, concurrency } = input;
  const header = encodeTarEntry({
    type: "File",
    name: "database.sql",
    size: dump.bytes,
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtimeNs: BigInt(input.dumpedAt.getTime()) * 1_000_000n,
  });
  yield* compressFrames(plain(header), { concurrency });
  yield* dump.frames();
  yield* compressFrames(plain(Buffer.alloc(paddingBytes(dump.bytes))), { concurrency });
  yield* compressFrames(input.pack.frames(), { concurrency });
  yield* compressFrames(plain(Buffer.alloc(END_OF_ARCHIVE_BYTES)), { concurrency });
}

async function* plain(bytes: Buffer): AsyncGenerator<PlainFrame, void, undefined> {
  if (bytes.length > 0) yield { bytes };
}
