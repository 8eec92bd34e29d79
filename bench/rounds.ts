// One round of everything that is compared, ours and the peers' taking turns: the first backup, a second one of the
// unchanged site, and a third with 20 new files.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { initRestic, timeTarZstd, warmUp } from "./peers.ts";
import { type RestoreRound, runRestores } from "./restores.ts";
import { addMedia } from "./site.ts";
import type { OurRun, World } from "./world.ts";

export const NEW_FILES = 20;
export const NEW_FILE_BYTES = 300_000;

export interface Ours {
  readonly first: OurRun;
  readonly unchanged: OurRun;
  readonly newFiles: OurRun;
}
export interface PeerSeconds {
  readonly tar: number;
  readonly first: number;
  readonly unchanged: number;
  readonly newFiles: number;
}
export interface Round {
  readonly ours: Ours;
  readonly peers: PeerSeconds;
  readonly restores: RestoreRound;
}

export async function runRound(world: World, siteDir: string, dir: string): Promise<Round> {
  const siteId = await world.register(siteDir);
  await using restic = await initRestic(world, dir);
  const added = join(siteDir, "wp-content", "uploads", "new");
  try {
    const warm = async <T>(run: () => Promise<T>): Promise<T> => {
      // A machine under memory pressure drops the site from its cache between two readers, and one pays for both.
      await warmUp(siteDir);
      return await run();
    };
    const tar = await warm(() => timeTarZstd(siteDir, dir));
    const oursFirst = await warm(() => world.backUp(siteId));
    const restores = await runRestores(world, oursFirst.backup, dir);
    const resticFirst = await warm(() => restic.backUp(siteDir));
    // The first one after it reads again what changed just before it: wp-config.php and the database's dump.
    await world.backUp(siteId);
    const oursUnchanged = await world.backUp(siteId);
    const resticUnchanged = await restic.backUp(siteDir);
    addMedia(siteDir, "new", NEW_FILES, NEW_FILE_BYTES);
    const oursNew = await world.backUp(siteId);
    const resticNew = await restic.backUp(siteDir);
    return {
      ours: { first: oursFirst, unchanged: oursUnchanged, newFiles: oursNew },
      peers: { tar, first: resticFirst, unchanged: resticUnchanged, newFiles: resticNew },
      restores,
    };
  } finally {
    await rm(added, { recursive: true, force: true });
    await world.forget(siteId);
    await world.empty(world.stack.bucket);
  }
}

export interface MemoryRun {
  readonly extraFiles: number;
  readonly firstBytes: number;
  readonly unchangedBytes: number;
  readonly firstSeconds: number;
  readonly unchangedSeconds: number;
}

/** Peaks of a first and of an incremental backup of a site that has `extraFiles` more. */
export async function runLarger(world: World, siteDir: string, extraFiles: number): Promise<MemoryRun> {
  const siteId = await world.register(siteDir);
  try {
    const first = await world.backUp(siteId);
    const unchanged = await world.backUp(siteId);
    return {
      extraFiles,
      firstBytes: first.peakRssBytes,
      unchangedBytes: unchanged.peakRssBytes,
      firstSeconds: first.seconds,
      unchangedSeconds: unchanged.seconds,
    };
  } finally {
    await world.forget(siteId);
    await world.empty(world.stack.bucket);
  }
}
