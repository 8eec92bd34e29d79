// A writer and a `tar -x` in memory, for archives whose "compression" is none: real bytes at real offsets, so a plan
// that copies a wrong range cannot pass, and an extractor that is as picky about order as tar is.
import { hash } from "node:crypto";
import type { CopyPlan } from "#runner/plan/copy/plan-copies.ts";
import { createPreviousArchive, type PreviousArchive } from "#runner/plan/copy/previous-archive.ts";
import type { EntryStat, IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { createIndexDecoder, encodeIndexLines } from "#shared/format/index-lines.ts";

const BLOCK = 512;
export const FRAME_BYTES = 4096;
const DUMP = "database.sql";
/** The planner never looks at it, and the extracted bytes are compared themselves. */
const NOT_NEEDED = "0".repeat(64);

export interface ModelArchive {
  readonly object: Buffer;
  readonly previous: PreviousArchive;
}

export interface FreshInput {
  readonly content: (name: string) => string;
  readonly flags: (entry: EntryStat) => number;
  readonly dump: string;
  /** Ends frames at a fixed size, in the middle of headers if it falls so, as another writer might. */
  readonly cutAnywhere: boolean;
}

export function sha256(text: string | Buffer): string {
  return hash("sha256", text);
}

/** Does what the plan says: copies ranges of `source`, packs the fresh entries, writes and re-reads the index. */
export function writeModelArchive(source: Buffer, plan: CopyPlan, input: FreshInput): ModelArchive {
  const pieces = plan.copied.parts.map((part) => source.subarray(part.offset, part.offset + part.bytes));
  const frames: FrameRecord[] = [...plan.copied.frames()];
  const entries: IndexEntry[] = [...plan.copied.entries()];
  let end = plan.copied.bytes;
  let open: Buffer[] = [];
  let openBytes = 0;
  const put = (bytes: Buffer): void => {
    open.push(bytes);
    openBytes += bytes.length;
  };
  const flush = (): void => {
    const frame = Buffer.concat(open, openBytes);
    open = [];
    openBytes = 0;
    if (frame.length === 0) return;
    const place = { offset: end, compressedBytes: frame.length, tarOffset: end, tarBytes: frame.length };
    frames.push({ ...place, sha256: NOT_NEEDED });
    pieces.push(frame);
    end += frame.length;
  };
  const pack = (entry: EntryStat, content: string): void => {
    if (!input.cutAnywhere && openBytes + BLOCK + content.length > FRAME_BYTES) flush();
    entries.push({ ...entry, tarOffset: end + openBytes, flags: input.flags(entry) });
    let rest = Buffer.concat([header(entry), padded(Buffer.from(content, "latin1"))]);
    while (openBytes + rest.length > FRAME_BYTES) {
      const room = FRAME_BYTES - openBytes;
      put(rest.subarray(0, room));
      rest = rest.subarray(room);
      flush();
    }
    put(rest);
  };

  for (const entry of plan.fresh.files) pack(entry, entry.type === "f" ? input.content(entry.name) : "");
  for (const entry of plan.fresh.hardLinks) pack(entry, "");
  if (!input.cutAnywhere) flush();
  for (const entry of plan.fresh.directories) pack(entry, "");
  if (!input.cutAnywhere) flush();
  let database = plan.copied.database;
  if (database === undefined) {
    const stat = { mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n, ctimeNs: 0n, ino: 0n };
    const from = end + openBytes;
    pack({ type: "f", name: DUMP, size: input.dump.length, ...stat }, input.dump);
    const place = { tar_offset: from, tar_bytes: end + openBytes - from };
    if (!input.cutAnywhere) flush();
    database = { name: DUMP, ...place, bytes: input.dump.length, sha256: sha256(input.dump) };
  }
  const entriesEnd = end + openBytes;
  put(END);
  flush();

  const builder = createPreviousArchive();
  const decoder = createIndexDecoder(builder.sink);
  const uuid = "00000000-0000-4000-8000-000000000000";
  const ids = { created_at: "2026-01-01T00:00:00.000Z", tool: "model", node_id: uuid, site_id: uuid };
  const lines = encodeIndexLines(
    {
      format: "backupd",
      version: 1,
      ...ids,
      tar_bytes: end,
      entries_end: entriesEnd,
      frames: frames.length,
      entries: entries.length,
      database,
    },
    frames,
    entries,
  );
  for (const line of lines) decoder.write(Buffer.from(line));
  decoder.end();
  return { object: Buffer.concat(pieces), previous: builder.finish() };
}

export interface Extracted {
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly mtimeNs: bigint | "extraction";
  readonly content: string;
  readonly link: string;
}

const MADE_ON_THE_WAY = {
  type: "d",
  mode: -1,
  uid: -1,
  mtimeNs: "extraction",
  content: "",
  link: "",
} as const;

/** What a tar that trusts the order of its input leaves on disk. Hard links show as the file they name. */
export function extract(tar: Buffer): Map<string, Extracted> {
  const tree = new Map<string, Extracted>();
  const spoilDirectoryOf = (name: string): void => {
    const slash = name.lastIndexOf("/");
    if (slash === -1) return;
    const parent = name.slice(0, slash);
    const existing = tree.get(parent);
    if (existing === undefined) spoilDirectoryOf(parent);
    else if (existing.type !== "d") throw new Error(`${parent} is no directory`);
    tree.set(parent, existing === undefined ? MADE_ON_THE_WAY : { ...existing, mtimeNs: "extraction" });
  };
  /** The directory that came last, while nothing but such links of it came after. */
  let open: string | undefined;
  let at = 0;
  while (tar[at] !== 0) {
    const { entry, bytes } = readHeader(tar, at);
    const { name, size, ...fields } = entry;
    const content = tar.toString("latin1", at + bytes, at + bytes + size);
    at += bytes + Math.ceil(size / BLOCK) * BLOCK;
    const there = tree.get(name);
    if (there !== undefined && (fields.type !== "d" || there.mode !== -1))
      throw new Error(`${name} comes twice`);
    if (fields.type === "l" && fields.link.startsWith("..")) {
      // GNU tar makes it after everything else, and then restores the mtime only of the directory right before it.
      if (name.slice(0, name.lastIndexOf("/")) !== open)
        throw new Error(`${name} does not follow its directory`);
      tree.set(name, { ...fields, content });
      continue;
    }
    open = fields.type === "d" ? name : undefined;
    if (there === undefined) spoilDirectoryOf(name);
    const target = tree.get(fields.link);
    if (fields.type === "h" && target === undefined) throw new Error(`${name} links to what is not there`);
    tree.set(name, fields.type === "h" && target !== undefined ? target : { ...fields, content });
  }
  if (!tar.subarray(at).equals(END)) throw new Error("the tar does not end where it should");
  return tree;
}

const END = Buffer.alloc(2 * BLOCK);

/** As many blocks as it takes, like a pax header; it says first how many. */
function header(entry: EntryStat): Buffer {
  const { type, name, link = "", size, mode, uid, mtimeNs } = entry;
  const fields = `\0${type}\0${name}\0${link}\0${size}\0${mode}\0${uid}\0${mtimeNs}\0`;
  const blocks = Math.ceil((fields.length + 1) / BLOCK);
  return padded(Buffer.from(blocks + fields, "latin1"));
}

function readHeader(tar: Buffer, at: number) {
  const bytes = BLOCK * Number(tar.toString("latin1", at, at + 1));
  const [, type = "", name = "", link = "", size, mode, uid, mtime = ""] = tar
    .toString("latin1", at, at + bytes)
    .split("\0", 8);
  const numbers = { size: Number(size), mode: Number(mode), uid: Number(uid), mtimeNs: BigInt(mtime) };
  return { entry: { type, name, link, ...numbers }, bytes };
}

function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % BLOCK;
  return rest === 0 ? bytes : Buffer.concat([bytes, END], bytes.length + BLOCK - rest);
}
