// Packs a site with the product and opens the result with the stock zstd and tar: what tests of the archive stand on.
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { type ArchiveResult, streamArchive } from "#runner/io/archive.ts";
import type { PackPlan, PackSummary } from "#runner/io/pack-protocol.ts";
import { type PackOptions, type PackSite, packSite } from "#runner/io/pack-site.ts";
import type { PackThread } from "#runner/io/pack-thread.ts";

export interface SiteOnDisk extends AsyncDisposable {
  /** Holds everything of this test. */
  readonly dir: string;
  readonly site: string;
  readonly content: string;
}

export async function makeSite(parent: string = tmpdir()): Promise<SiteOnDisk> {
  const dir = await mkdtemp(join(parent, "backupd-pack-"));
  const site = join(dir, "site");
  const content = join(site, "wp-content");
  await mkdir(content, { recursive: true });
  await writeFile(join(site, "wp-config.php"), "<?php // config\n");
  return { dir, site, content, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

export interface PackedArchive {
  readonly archive: string;
  readonly summary: PackSummary;
  readonly plan: PackPlan;
  readonly result: ArchiveResult;
}

export interface Packed extends PackedArchive {
  /** Where stock tools have extracted it. */
  readonly tree: string;
  /** What tar said on stderr: nothing, for a good archive. */
  readonly complaints: string;
}

export interface PackHow {
  readonly exclude?: readonly string[];
  readonly frameBytes?: number;
  /** Runs when the first compressed frame is there; the packer cannot have come further than a few frames. */
  readonly meanwhile?: () => Promise<void>;
  /** To copy from, whatever the size of what can be copied. */
  readonly previous?: PackedArchive;
  readonly dump?: string;
  readonly racyWindowNs?: bigint;
  readonly ahead?: PackThread;
  /** Packs in place of the product's thread. */
  readonly packer?: (options: PackOptions) => PackSite | Promise<PackSite>;
}

/** Everything can be copied that the format allows to be. */
const LIMITS = { minCopyBytes: 1, maxCopyPartBytes: 100_000, copyPieceBytes: 30_000, maxCopyParts: 9_000 };

export async function packAndExtract(on: SiteOnDisk, how: PackHow = {}): Promise<Packed> {
  const packed = await packTo(join(on.dir, "archive.tar.zst"), on, how);
  return { ...packed, ...(await extract(packed.archive, join(on.dir, "extracted"))) };
}

/** With the stock programs, into a new directory. */
export async function extract(archive: string, tree: string): Promise<Pick<Packed, "tree" | "complaints">> {
  await mkdir(tree);
  const run = promisify(execFile);
  await run("zstd", ["-q", "-d", "-f", archive, "-o", `${archive}.tar`]);
  const { stderr } = await run("tar", ["-xf", `${archive}.tar`, "-C", tree, "--same-owner", "-p"]);
  return { tree, complaints: stderr };
}

export async function packTo(
  archive: string,
  on: Pick<SiteOnDisk, "site" | "content">,
  how: PackHow,
): Promise<PackedArchive> {
  const { compress } = await import("@mongodb-js/zstd");
  const dump = Buffer.from(how.dump ?? "-- a dump\n");
  const sha256 = hash("sha256", dump);
  await using pack = await (how.packer ?? packSite)({
    configPath: join(on.site, "wp-config.php"),
    contentDir: on.content,
    exclude: how.exclude ?? [],
    frameBytes: how.frameBytes ?? 65_536,
    limits: LIMITS,
    dumpSha256: sha256,
    ...(how.racyWindowNs === undefined ? {} : { racyWindowNs: how.racyWindowNs }),
    ...(how.previous === undefined ? {} : { previousIndex: Buffer.concat(how.previous.result.index) }),
    ahead: how.ahead,
    signal: new AbortController().signal,
  });
  const plan = await pack.plan();
  async function* spooled(): AsyncGenerator<{ bytes: Buffer; rawBytes: number }, void, undefined> {
    yield { bytes: await compress(dump), rawBytes: dump.length };
  }
  const stream = streamArchive({
    dump: { bytes: dump.length, sha256, frames: spooled },
    dumpedAt: new Date("2026-01-02T03:04:05.678Z"),
    pack,
    plan,
    origin: { created_at: "2026-01-02T03:04:05.678Z", tool: "test", node_id: ID, site_id: ID },
    concurrency: 1,
  });
  async function* pieces(): AsyncGenerator<Buffer, void, undefined> {
    for (const { offset, bytes } of plan.copied.parts) {
      yield await readRange(how.previous?.archive ?? "", offset, bytes);
    }
    let count = 0;
    for await (const piece of stream.pieces) {
      count += 1;
      if (count === 1) await how.meanwhile?.();
      // A copy: it may be the packing thread's own memory.
      yield Buffer.concat(piece.pieces);
      piece.release();
    }
  }
  await pipeline(Readable.from(pieces()), createWriteStream(archive));
  return { archive, summary: pack.summary(), plan, result: stream.result() };
}

const ID = "00000000-0000-4000-8000-000000000000";

async function readRange(path: string, offset: number, bytes: number): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
  if (bytesRead !== bytes) throw new Error(`${path} has no ${bytes} bytes at ${offset}`);
  return buffer;
}
