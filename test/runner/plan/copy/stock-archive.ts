// A straightforward writer of real archives (stock `tar` for headers, node:zlib for zstd), so that the stock programs
// and the planner can be tried together on a small tree without the runner's engine.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { CopyPlan } from "#runner/plan/copy/plan-copies.ts";
import { encodeIndexFrames } from "#shared/format/index-blocks.ts";
import type { EntryStat, IndexEntry } from "#shared/format/index-entry.ts";
import type { FrameRecord } from "#shared/format/index-frame.ts";
import { encodeIndexLines } from "#shared/format/index-lines.ts";
import { encodeSeekTable } from "#shared/format/seek-table.ts";
import { encodeTrailer } from "#shared/format/trailer.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Parents first, names sorted; further names of one inode as hard links. ASCII names only. */
export function walkTree(root: string, top: string): EntryStat[] {
  const firstName = new Map<bigint, string>();
  const visit = (name: string): EntryStat[] => {
    const stat = lstatSync(join(root, name), { bigint: true });
    const base = {
      name,
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      ino: stat.ino,
    };
    if (stat.isDirectory()) {
      const children = readdirSync(join(root, name)).sort();
      return [{ type: "d", size: 0, ...base }, ...children.flatMap((child) => visit(`${name}/${child}`))];
    }
    if (stat.isSymbolicLink()) return [{ type: "l", size: 0, ...base, link: readlinkSync(join(root, name)) }];
    const first = firstName.get(stat.ino);
    if (first !== undefined) return [{ type: "h", size: 0, ...base, link: first }];
    firstName.set(stat.ino, name);
    return [{ type: "f", size: Number(stat.size), ...base }];
  };
  return visit(top);
}

/** The whole object that the plan makes of `root` and the previous object; one frame per file. */
export async function writeStockArchive(root: string, previous: Buffer, plan: CopyPlan): Promise<Buffer> {
  const pieces: Uint8Array[] = plan.copied.parts.map((part) =>
    previous.subarray(part.offset, part.offset + part.bytes),
  );
  const frames: FrameRecord[] = [...plan.copied.frames()];
  const entries: IndexEntry[] = [...plan.copied.entries()];
  let offset = plan.copied.bytes;
  let tarOffset = plan.copied.tarBytes;
  const frame = (tar: Buffer): void => {
    const stored = zstdCompressSync(tar);
    pieces.push(stored);
    frames.push({
      offset,
      compressedBytes: stored.length,
      tarOffset,
      tarBytes: tar.length,
      sha256: sha256(stored),
    });
    offset += stored.length;
    tarOffset += tar.length;
  };
  const { files, hardLinks, directories } = plan.fresh;
  for (const entry of [...files, ...hardLinks, ...directories]) {
    entries.push({ ...entry, tarOffset, flags: 0 });
    frame(tarOf(root, entry));
  }
  const entriesEnd = tarOffset;
  frame(Buffer.alloc(1024));
  const uuid = "00000000-0000-4000-8000-000000000000";
  const header = {
    format: "backupd" as const,
    version: 1 as const,
    created_at: "2026-01-01T00:00:00.000Z",
    tool: "test",
    node_id: uuid,
    site_id: uuid,
    tar_bytes: tarOffset,
    entries_end: entriesEnd,
    frames: frames.length,
    entries: entries.length,
    database: null,
  };
  const indexFrames: Uint8Array[] = [];
  const lines = encodeIndexLines(header, frames, entries);
  for await (const block of encodeIndexFrames(lines, async (bytes) => zstdCompressSync(bytes))) {
    indexFrames.push(block);
  }
  const index = Buffer.concat(indexFrames);
  const trailer = encodeTrailer({
    indexOffset: offset,
    indexBytes: index.length,
    tarBytes: tarOffset,
    indexSha256: sha256(index),
  });
  const seekTable = encodeSeekTable([
    ...frames.map((data) => ({ compressedBytes: data.compressedBytes, decompressedBytes: data.tarBytes })),
    ...indexFrames.map((block) => ({ compressedBytes: block.length, decompressedBytes: 0 })),
    { compressedBytes: trailer.length, decompressedBytes: 0 },
  ]);
  return Buffer.concat([...pieces, index, trailer, seekTable]);
}

/** One entry as GNU tar writes it, without the end-of-archive blocks that follow. */
function tarOf(root: string, entry: EntryStat): Buffer {
  const names = entry.type === "h" ? [entry.link ?? "", entry.name] : [entry.name];
  const args = ["--format=pax", "--no-recursion", "--blocking-factor=1", "-cf", "-", "--", ...names];
  const tar = execFileSync("tar", args, { cwd: root, stdio: ["ignore", "pipe", "ignore"] }).subarray(
    0,
    -1024,
  );
  if (entry.type !== "h") return tar;
  const target = execFileSync("tar", [...args.slice(0, -1)], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return tar.subarray(target.length - 1024);
}
