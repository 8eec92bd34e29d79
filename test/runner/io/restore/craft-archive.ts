// Archives made by hand, byte by byte, so that each can be wrong in just one way; and the place where they are let
// loose, which notices when anything beside the target changes.
import { hash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type Extracted, extractArchive } from "#runner/io/restore/extract-archive.ts";
import { extractPlain } from "#runner/io/restore/extract-plain.ts";
import { openObjectReader } from "#runner/io/restore/object-reader.ts";
import { openArchive } from "#runner/io/restore/open-archive.ts";
import type { Selection } from "#runner/plan/restore/select-entries.ts";
import { encodeEntry, type IndexEntry } from "#shared/format/index-entry.ts";
import { encodeFrame, type FrameRecord } from "#shared/format/index-frame.ts";
import { encodeSeekTable } from "#shared/format/seek-table.ts";
import { skippableFrame } from "#shared/format/skippable-frame.ts";
import { encodeTrailer } from "#shared/format/trailer.ts";
import { manualClock } from "#test/fakes/manual-clock.ts";

export interface TarFields {
  readonly name?: string;
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  /** Instead of the content's length; a string is written as it is. */
  readonly size?: number | string | Buffer;
  readonly mtime?: number;
  readonly checksum?: string;
  readonly content?: string | Buffer;
}

const OWN_ID = process.getuid?.() ?? 0;

/** One ustar header block with its content, whatever that makes. */
export function tarEntry(fields: TarFields): Buffer {
  const content = Buffer.from(fields.content ?? "");
  const block = Buffer.alloc(512);
  block.write(fields.name ?? "wp-content/file", 0, 100, "latin1");
  block.write(octal(fields.mode ?? 0o644, 8), 100);
  block.write(octal(fields.uid ?? OWN_ID, 8), 108);
  block.write(octal(OWN_ID, 8), 116);
  const size = fields.size ?? content.length;
  if (typeof size === "number") block.write(octal(size, 12), 124);
  else Buffer.from(size as string).copy(block, 124);
  block.write(octal(fields.mtime ?? 1_700_000_000, 12), 136);
  block.write(fields.type ?? "0", 156);
  block.write(fields.link ?? "", 157, 100, "latin1");
  block.write("ustar\u000000", 257);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(fields.checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(`${key}=${value}`) + 2;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

export function pax(records: string, type = "x"): Buffer {
  return tarEntry({ name: "PaxHeaders/x", type, content: records });
}

function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, "0")}\0`;
}

export const TAR_END: Buffer = Buffer.alloc(1024);

export function plainArchive(...pieces: readonly Buffer[]): Buffer {
  return zstdCompressSync(Buffer.concat([...pieces, TAR_END]));
}

export interface CraftEntry {
  readonly line: IndexEntry;
  readonly tar: Buffer;
}

/** A file as the index and the tar have it, where they are to differ as `tar` says. */
export function fileEntry(
  name: string,
  content: string,
  line: Partial<IndexEntry> = {},
  tar: TarFields = {},
): CraftEntry {
  return {
    line: { ...lineOf(name), size: content.length, ...line },
    tar: tarEntry({ name, content, ...tar }),
  };
}

export function linkEntry(type: "l" | "h", name: string, link: string): CraftEntry {
  return {
    line: { ...lineOf(name), type, link },
    tar: tarEntry({ name, link, type: type === "l" ? "2" : "1" }),
  };
}

export function directoryEntry(name: string): CraftEntry {
  return {
    line: { ...lineOf(name), type: "d", mode: 0o755 },
    tar: tarEntry({ name: `${name}/`, type: "5", mode: 0o755 }),
  };
}

function lineOf(name: string): IndexEntry {
  const mtimeNs = 1_700_000_000_000_000_000n;
  const stat = { size: 0, mode: 0o644, uid: OWN_ID, gid: OWN_ID, mtimeNs, ctimeNs: mtimeNs, ino: 1n };
  return { type: "f", name, ...stat, tarOffset: 0, flags: 0 };
}

export interface CraftChanges {
  /** What is stored for frame `at`, and what the index says of it. */
  readonly frame?: (at: number, stored: Buffer, record: FrameRecord) => readonly [Buffer, FrameRecord];
  readonly lines?: (lines: readonly string[]) => readonly string[];
  readonly header?: Record<string, unknown>;
  readonly trailerSha256?: string;
  /** Of the seek table. */
  readonly row?: (
    at: number,
    row: { compressedBytes: number; decompressedBytes: number },
  ) => {
    compressedBytes: number;
    decompressedBytes: number;
  };
}

const ID = "00000000-0000-4000-8000-000000000000";

/** Every entry in a frame of its own, the tar's end in the last one. */
export function craftArchive(entries: readonly CraftEntry[], changes: CraftChanges = {}): Buffer {
  const stored: Buffer[] = [];
  const records: FrameRecord[] = [];
  const lines: string[] = [];
  let [offset, tarOffset] = [0, 0];
  for (const [at, tar] of [...entries.map((entry) => entry.tar), TAR_END].entries()) {
    const entry = entries[at];
    if (entry !== undefined) lines.push(encodeEntry({ ...entry.line, tarOffset }));
    const frame = zstdCompressSync(tar);
    const plain = {
      offset,
      compressedBytes: frame.length,
      tarOffset,
      tarBytes: tar.length,
      sha256: hash("sha256", frame),
    };
    const [bytes, record] = changes.frame?.(at, frame, plain) ?? [frame, plain];
    stored.push(bytes);
    records.push(record);
    offset += bytes.length;
    tarOffset += record.tarBytes;
  }
  const header = {
    format: "backupd",
    version: 1,
    created_at: "2026-01-02T03:04:05.678Z",
    tool: "test",
    node_id: ID,
    site_id: ID,
    tar_bytes: tarOffset,
    entries_end: tarOffset - TAR_END.length,
    frames: records.length,
    entries: lines.length,
    database: null,
    ...changes.header,
  };
  const all = [JSON.stringify(header), ...records.map(encodeFrame), ...lines];
  const text = (changes.lines?.(all) ?? all).map((line) => `${line}\n`).join("");
  const index = Buffer.from(skippableFrame(0x184d_2a5b, zstdCompressSync(text)));
  const trailer = Buffer.from(
    encodeTrailer({
      indexOffset: offset,
      indexBytes: index.length,
      tarBytes: Number(header.tar_bytes),
      indexSha256: changes.trailerSha256 ?? hash("sha256", index),
    }),
  );
  const rows = records.map((record, at) => {
    const row = { compressedBytes: stored[at]?.length ?? 0, decompressedBytes: record.tarBytes };
    return changes.row?.(at, row) ?? row;
  });
  for (const part of [index, trailer]) rows.push({ compressedBytes: part.length, decompressedBytes: 0 });
  return Buffer.concat([...stored, index, trailer, encodeSeekTable(rows)]);
}

export interface Cage extends Disposable {
  readonly dir: string;
  readonly target: string;
  /** A file that an archive would like to change. */
  readonly victim: string;
  /** Extracts into `target`, and fails if anything else has changed, whatever came of it. */
  extract(archive: Buffer, how?: { selection?: Selection; sha256Index?: string }): Promise<Extracted>;
  /** Names, modes and contents of what is in `target`. */
  tree(): Record<string, string>;
}

export function makeCage(): Cage {
  const dir = mkdtempSync(join(tmpdir(), "backupd-cage-"));
  const target = join(dir, "deep", "target");
  const outside = join(dir, "outside");
  mkdirSync(target, { recursive: true });
  mkdirSync(outside);
  const victim = join(outside, "victim");
  writeFileSync(victim, "not yours");
  const outsideTree = (): Record<string, string> => treeOf(dir, (name) => name === join("deep", "target"));
  const before = outsideTree();
  return {
    dir,
    target,
    victim,
    async extract(bytes, how = {}) {
      const [outcome] = await Promise.allSettled([extractInto(target, bytes, how)]);
      const after = outsideTree();
      if (JSON.stringify(after) !== JSON.stringify(before))
        throw new Escaped(JSON.stringify({ before, after }));
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
    tree: () => treeOf(target, () => false),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

async function extractInto(
  targetDir: string,
  bytes: Buffer,
  { selection = {}, sha256Index }: { selection?: Selection; sha256Index?: string },
): Promise<Extracted> {
  const signal = new AbortController().signal;
  await using reader = openObjectReader(memorySource(bytes), manualClock());
  const archive = await openArchive(reader, { signal, sha256Index });
  const how = { selection, targetDir, signal };
  if (archive.kind === "plain") return await extractPlain({ archive, ...how });
  return await extractArchive({ archive, ...how });
}

class Escaped extends Error {}

export function memorySource(bytes: Buffer): Parameters<typeof openObjectReader>[0] {
  return {
    label: "an archive in memory",
    sizeBytes: bytes.length,
    async open(offset, length) {
      return (async function* () {
        yield bytes.subarray(offset, offset + length);
      })();
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function treeOf(root: string, isSkipped: (name: string) => boolean): Record<string, string> {
  const tree: Record<string, string> = {};
  const visit = (name: string): void => {
    if (isSkipped(name)) return;
    const path = join(root, name);
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) tree[name] = `-> ${readlinkSync(path)}`;
    else if (stat.isFile()) tree[name] = `${mode} ${stat.nlink} ${readFileSync(path, "latin1")}`;
    else {
      tree[name] = `${mode} ${stat.isDirectory() ? "dir" : "special"}`;
      if (stat.isDirectory()) for (const child of readdirSync(path).sort()) visit(join(name, child));
    }
  };
  visit(".");
  return tree;
}
