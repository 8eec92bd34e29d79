// Puts together what an archive has after its kept and copied parts: the fresh entries of the tree, database.sql, the tar's end,
// then the index; every piece of the tar whole zstd frames of its own, so that `zstd -d` sees one stream and we can
// find, check and copy the pieces.
import type { IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import type { IndexHeader } from "#shared/format/index-header.ts";
import { END_OF_ARCHIVE_BYTES, encodeTarEntry, paddingBytes } from "../plan/tar-entry.ts";
import {
  type CompressedFrame,
  compressFrames,
  inOnePiece,
  type PlainFrame,
  type Scattered,
} from "./compress.ts";
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

/** The next bytes of the object. */
export interface Piece extends Scattered {
  /** If they are a frame with nothing but entries of the tree, which a later attempt can use again. */
  readonly frame?: FrameRecord;
}

export interface ArchiveStream {
  /** All bytes that follow the kept and the copied ones; once only. */
  readonly pieces: AsyncIterable<Piece>;
  /** After the last piece. */
  result(): ArchiveResult;
}

const DUMP_NAME = "database.sql";

export function streamArchive(input: ArchiveInput): ArchiveStream {
  const { kept, copied } = input.plan;
  const ledger = createFrameLedger([...kept.frames, ...copied.frames]);
  const fresh = { offset: ledger.offset(), tarOffset: ledger.tarOffset() };
  let result: ArchiveResult | undefined;
  async function* pieces(): AsyncGenerator<Piece, void, undefined> {
    const dump = newDumpEntry(input);
    for await (const { frame, isTree } of dataFrames(input, dump, ledger)) {
      const record = ledger.add(frame);
      input.onBytes?.(ledger.tarOffset() - fresh.tarOffset);
      yield isTree ? { ...frame, frame: record } : frame;
    }
    const compressedBytes = ledger.offset() - fresh.offset;
    const { tail, ...seal } = await seals(input, dump, ledger);
    // Copies, because the one who gets them frees them, and the index is still wanted.
    for (const piece of [...seal.index, ...tail]) yield inOnePiece(Uint8Array.from(piece));
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

interface DataFrame {
  readonly frame: CompressedFrame;
  /** Of the packed tree; not of the dump, nor of the tar's end. */
  readonly isTree: boolean;
}

async function* dataFrames(
  input: ArchiveInput,
  newDump: NewDump | undefined,
  ledger: FrameLedger,
): AsyncGenerator<DataFrame, void, undefined> {
  const { concurrency } = input;
  for await (const frame of compressFrames(input.pack.frames(), { concurrency })) {
    yield { frame, isTree: true };
  }
  if (newDump !== undefined) newDump.tarOffset = ledger.tarOffset();
  for await (const frame of lastFrames(input, newDump)) yield { frame, isTree: false };
}

async function* lastFrames(
  { dump, concurrency }: ArchiveInput,
  newDump: NewDump | undefined,
): AsyncGenerator<CompressedFrame, void, undefined> {
  if (newDump !== undefined) {
    yield* compressFrames(plain(newDump.header), { concurrency });
    for await (const { bytes, rawBytes } of dump.frames()) yield { ...inOnePiece(bytes), rawBytes };
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
  if (bytes.length > 0) yield { bytes, rawSha256: undefined };
}
