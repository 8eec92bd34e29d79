// Small valid indexes for the tests of this folder, as records and as fast-check arbitraries.
import fc from "fast-check";
import type { IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { createIndexDecoder } from "#shared/format/index-lines.ts";

export interface IndexSample {
  readonly header: IndexHeader;
  readonly frames: FrameRecord[];
  readonly entries: IndexEntry[];
}

const byteName = fc
  .array(
    fc.uint8Array({ minLength: 1, maxLength: 12 }).filter((part) => !part.includes(0) && !part.includes(47)),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.map((part) => Buffer.from(part).toString("latin1")))
  .filter((parts) => parts.every((part) => part !== "." && part !== ".."))
  .map((parts) => parts.join("/"));

const stat = fc.record({
  name: byteName,
  mode: fc.nat(0o7777),
  uid: fc.nat(0xffff_ffff),
  gid: fc.nat(0xffff_ffff),
  mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  ctimeNs: fc.bigInt({ min: 0n, max: 2n ** 62n }),
  ino: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  flags: fc.nat(3),
  kind: fc.oneof(
    fc.record({ type: fc.constant("f" as const), size: fc.nat(100_000) }),
    fc.record({ type: fc.constantFrom("d" as const), size: fc.constant(0) }),
    fc.record({ type: fc.constantFrom("l" as const, "h" as const), size: fc.constant(0), link: byteName }),
  ),
});

export const indexSample: fc.Arbitrary<IndexSample> = fc.array(stat, { maxLength: 20 }).map((stats) => {
  let tarOffset = 0;
  const entries = stats.map(({ kind, ...rest }): IndexEntry => {
    const entry = { ...rest, ...kind, tarOffset };
    tarOffset += 512 + Math.ceil(kind.size / 512) * 512;
    return entry;
  });
  const tarBytes = tarOffset + 1024;
  const frames: FrameRecord[] = [];
  for (let at = 0; at < tarBytes; at += 65_536) {
    const length = Math.min(65_536, tarBytes - at);
    frames.push({
      offset: at,
      compressedBytes: length,
      tarOffset: at,
      tarBytes: length,
      sha256: "ab".repeat(32),
    });
  }
  return { header: headerOf(tarBytes, frames.length, entries.length), frames, entries };
});

export function headerOf(tarBytes: number, frames: number, entries: number): IndexHeader {
  return {
    format: "backupd",
    version: 1,
    created_at: "2026-01-02T03:04:05.678Z",
    tool: "backupd 0.1.0",
    node_id: "11111111-1111-4111-8111-111111111111",
    site_id: "22222222-2222-4222-8222-222222222222",
    tar_bytes: tarBytes,
    entries_end: tarBytes - 1024,
    frames,
    entries,
    database: null,
  };
}

/** Decodes blocks of whole lines into records. */
export function decodeAll(blocks: Iterable<Uint8Array>): {
  headers: IndexHeader[];
  frames: FrameRecord[];
  entries: IndexEntry[];
} {
  const seen = { headers: [] as IndexHeader[], frames: [] as FrameRecord[], entries: [] as IndexEntry[] };
  const decoder = createIndexDecoder({
    header: (header) => seen.headers.push(header),
    frame: (frame) => seen.frames.push(frame),
    entry: (entry) => seen.entries.push(entry),
  });
  for (const block of blocks) decoder.write(block);
  decoder.end();
  return seen;
}
