// The checksum of a copied range, as S3 reports it for parts of uploads that have an algorithm: CRCs of whole part
// files are known and are joined by arithmetic, so that only the cut ends of a range are read.
import { type ChecksumAlgorithm, crcKind, startChecksum } from "../checksums.ts";
import { joinCrcs } from "../crc.ts";
import { readSegmentBytes } from "./read-segments.ts";
import type { Segment } from "./segments.ts";
import type { Store } from "./store.ts";

/** Some 100 bytes each. */
const MAX_KEPT = 10_000;

/** Base64. The segments' files must be pinned. */
export async function rangeChecksum(
  store: Store,
  segments: readonly Segment[],
  algorithm: ChecksumAlgorithm,
): Promise<string> {
  const kind = crcKind(algorithm);
  if (kind === undefined) return (await readChecksum(store, segments, algorithm)).toString("base64");
  const pieces: { crc: Buffer; bytes: number }[] = [];
  for (const segment of segments) {
    const crc = knownCrc(store, segment, algorithm) ?? (await cutChecksum(store, segment, algorithm));
    pieces.push({ crc, bytes: segment.bytes });
  }
  return joinCrcs(kind, pieces).toString("base64");
}

function knownCrc(store: Store, segment: Segment, algorithm: ChecksumAlgorithm): Buffer | undefined {
  const row = store.db.get<{ crc: string }>(
    "SELECT crc FROM part_files WHERE name = ? AND bytes = ? AND crc_algorithm = ?",
    segment.partFile,
    segment.bytes,
    algorithm,
  );
  return row === undefined ? undefined : Buffer.from(row.crc, "base64");
}

async function cutChecksum(store: Store, segment: Segment, algorithm: ChecksumAlgorithm): Promise<Buffer> {
  const { cutChecksums: kept } = store;
  const key = `${segment.partFile} ${segment.offsetBytes} ${segment.bytes} ${algorithm}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const crc = await readChecksum(store, [segment], algorithm);
  const [oldest] = kept.keys();
  if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  kept.set(key, crc);
  return crc;
}

async function readChecksum(
  store: Store,
  segments: readonly Segment[],
  algorithm: ChecksumAlgorithm,
): Promise<Buffer> {
  const running = startChecksum(algorithm);
  const { buffers } = store.files;
  const pair = buffers.take();
  for await (const chunk of readSegmentBytes(store.files, segments, pair)) running.update(chunk);
  buffers.giveBack(pair);
  return running.digest();
}
