// Packs a site with the product and opens the result with the stock zstd and tar: what tests of the archive stand on.
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { archiveFrames } from "#runner/io/archive.ts";
import type { PackSummary } from "#runner/io/pack-protocol.ts";
import { packSite } from "#runner/io/pack-site.ts";

export interface SiteOnDisk extends AsyncDisposable {
  /** Holds everything of this test. */
  readonly dir: string;
  readonly site: string;
  readonly content: string;
}

export async function makeSite(): Promise<SiteOnDisk> {
  const dir = await mkdtemp(join(tmpdir(), "backupd-pack-"));
  const site = join(dir, "site");
  const content = join(site, "wp-content");
  await mkdir(content, { recursive: true });
  await writeFile(join(site, "wp-config.php"), "<?php // config\n");
  return { dir, site, content, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

export interface Packed {
  readonly archive: string;
  /** Where stock tools have extracted it. */
  readonly tree: string;
  /** What tar said on stderr: nothing, for a good archive. */
  readonly complaints: string;
  readonly summary: PackSummary;
  readonly frames: number;
  readonly tarBytes: number;
}

export interface PackHow {
  readonly exclude?: readonly string[];
  readonly frameBytes?: number;
  /** Runs when the first compressed frame is there; the packer cannot have come further than a few frames. */
  readonly meanwhile?: () => Promise<void>;
}

export async function packAndExtract(on: SiteOnDisk, how: PackHow = {}): Promise<Packed> {
  const archive = join(on.dir, "archive.tar.zst");
  const { summary, frames, tarBytes } = await packTo(archive, on, how);
  const tree = join(on.dir, "extracted");
  await mkdir(tree);
  const run = promisify(execFile);
  await run("zstd", ["-q", "-d", "-f", archive, "-o", `${archive}.tar`]);
  const { stderr } = await run("tar", ["-xf", `${archive}.tar`, "-C", tree, "--same-owner", "-p"]);
  return { archive, tree, complaints: stderr, summary, frames, tarBytes };
}

export async function packTo(
  archive: string,
  on: SiteOnDisk,
  how: PackHow,
): Promise<Pick<Packed, "summary" | "frames" | "tarBytes">> {
  const dump = Buffer.from("-- a dump\n");
  await using pack = packSite({
    configPath: join(on.site, "wp-config.php"),
    contentDir: on.content,
    exclude: how.exclude ?? [],
    frameBytes: how.frameBytes ?? 65_536,
    signal: new AbortController().signal,
  });
  const { compress } = await import("@mongodb-js/zstd");
  async function* spooled(): AsyncGenerator<{ bytes: Buffer; rawBytes: number }, void, undefined> {
    yield { bytes: await compress(dump), rawBytes: dump.length };
  }
  const archived = archiveFrames({
    dump: { bytes: dump.length, frames: spooled },
    dumpedAt: new Date("2026-01-02T03:04:05.678Z"),
    pack,
    concurrency: 1,
  });
  async function* frames(): AsyncGenerator<Buffer, void, undefined> {
    let count = 0;
    for await (const frame of archived.frames) {
      count += 1;
      // Header, dump and padding of database.sql come first; the fourth frame is the packer's.
      if (count === 4) await how.meanwhile?.();
      yield frame;
    }
  }
  await pipeline(Readable.from(frames()), createWriteStream(archive));
  const counts = archived.counts();
  return { summary: pack.summary(), frames: counts.frames, tarBytes: counts.tarBytes };
}
