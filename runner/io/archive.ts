// Puts together what an archive has after its copied part: the fresh entries of the tree, database.sql, the tar's end,
// then the index; every piece of the tar whole zstd frames of its own, so that `zstd -d` sees one stream and we can
// find, check and copy the pieces.
import type { IndexEntry } from "#shared/format/index-entry.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { END_OF_ARCHIVE_BYTES, encodeTarEntry, paddingBytes } from "../plan/tar-entry.ts";
import { type CompressedFrame, compressFrames, type PlainFrame } from "./compress.ts";
import type { Dump } from "./dump.ts";
import { createFrameLedger, type FrameLedger } from "./frame-ledger.ts";
import type { PackPlan } from "./pack-protocol.ts";
import type { PackSite } from "./pack-site.ts";
import { type Seal, sealArchive } from "./seal-archive.ts";

export interface ArchiveInput {
  readonly dump: Pick<Dump, "bytes" | "sha256" | "frames">;
  /** When the dump was made: database.sql's time in the archive. */
  readonly dumpedAt: Date;
  readonly pack: Pick<PackSite, "frames" | "summary" | "indexFrames">;
  readonly plan: PackPlan;
  readonly origin: Pick<IndexHeader, "created_at" | "tool" | "node_id" | "site_id">;
  /** Frames compressed at once. */
  readonly concurrency: number;
  /** Plain bytes put into the archive so far, after each frame. */
  readonly onBytes?: (tarBytes: number) => void;
}

export interface ArchiveResult extends Omit<Seal, "tail"> {
  readonly frames: number;
  readonly tarBytes: number;
  /** Of the fresh frames, compressed. */
  readonly compressedBytes: number;
}

export interface ArchiveStream {
  /** All bytes that follow the copied ones; once only. */
  readonly pieces: AsyncIterable<Buffer>;
  /** After the last piece. */
  result(): ArchiveResult;
}

const DUMP_NAME = "database.sql";

export function streamArchive(input: ArchiveInput): ArchiveStream {
  const { copied } = input.plan;
  const ledger = createFrameLedger(copied.frames);
  let result: ArchiveResult | undefined;
  async function* pieces(): AsyncGenerator<Buffer, void, undefined> {
    const dump = newDumpEntry(input);
    for await (const frame of dataFrames(input, dump, ledger)) {
      ledger.add(frame);
      input.onBytes?.(ledger.tarOffset() - copied.tarBytes);
      yield frame.bytes;
    }
    const { tail, ...seal } = await seals(input, dump, ledger);
    // Copies, because the one who gets them frees them, and the index is still wanted.
    for (const piece of [...seal.index, ...tail]) yield Buffer.from(piece);
    const compressedBytes = ledger.offset() - copied.bytes;
    result = { ...seal, frames: ledger.records().length, tarBytes: ledger.tarOffset(), compressedBytes };
  }
  return {
    pieces: pieces(),
    result() {
      if (result === undefined) throw new Error("result() before the last piece");
      return result;
    },
  };
}

/** The dump's entry in the tar, and once its frames are there, where it is. */
interface NewDump {
  readonly header: Buffer;
  readonly stat: Omit<IndexEntry, "tarOffset">;
  tarOffset: number;
}

/** Undefined if the dump is among what is copied. */
function newDumpEntry({ dump, dumpedAt, plan }: ArchiveInput): NewDump | undefined {
  if (plan.copied.database !== null) return undefined;
  const mtimeNs = BigInt(dumpedAt.getTime()) * 1_000_000n;
  const plain = { name: DUMP_NAME, size: dump.bytes, mode: 0o600, uid: 0, gid: 0, mtimeNs };
  return {
    header: encodeTarEntry({ type: "File", ...plain }),
    stat: { type: "f", ...plain, ctimeNs: mtimeNs, ino: 0n, flags: 0 },
    tarOffset: 0,
  };
}

async function* dataFrames(
  input: ArchiveInput,
  newDump: NewDump | undefined,
  ledger: FrameLedger,
): AsyncGenerator<CompressedFrame, void, undefined> {
  const { dump, concurrency } = input;
  yield* compressFrames(input.pack.frames(), { concurrency });
  if (newDump !== undefined) {
    newDump.tarOffset = ledger.tarOffset();
    yield* compressFrames(plain(newDump.header), { concurrency });
    yield* dump.frames();
    yield* compressFrames(plain(Buffer.alloc(paddingBytes(dump.bytes))), { concurrency });
  }
  yield* compressFrames(plain(Buffer.alloc(END_OF_ARCHIVE_BYTES)), { concurrency });
}

async function seals(input: ArchiveInput, newDump: NewDump | undefined, ledger: FrameLedger): Promise<Seal> {
  const { dump, origin, pack, plan } = input;
  const tarBytes = ledger.tarOffset();
  const header: IndexHeader = {
    format: "backupd",
    version: 1,
    ...origin,
    tar_bytes: tarBytes,
    entries_end: tarBytes - END_OF_ARCHIVE_BYTES,
    frames: ledger.records().length,
    entries: pack.summary().entries + 1,
    database:
      newDump === undefined
        ? plan.copied.database
        : {
            name: DUMP_NAME,
            tar_offset: newDump.tarOffset,
            tar_bytes: newDump.header.length + dump.bytes + paddingBytes(dump.bytes),
            bytes: dump.bytes,
            sha256: dump.sha256,
          },
  };
  return await sealArchive({
    header,
    frames: ledger.records(),
    entryFrames: pack.indexFrames(),
    lastEntries: newDump === undefined ? [] : [{ ...newDump.stat, tarOffset: newDump.tarOffset }],
    dataBytes: ledger.offset(),
  });
}

async function* plain(bytes: Buffer): AsyncGenerator<PlainFrame, void, undefined> {
  if (bytes.length > 0) yield { bytes };
}
