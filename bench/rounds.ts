// One round of everything that is compared, ours and the peers' taking turns in who is first: the first backup, a second
// one of the unchanged site, and a third with 20 new files. Each has warmed up as often as the other.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { inTurns, onIdleDisk } from "./in-turns.ts";
import { initRestic, timeTarZstd, warmUp } from "./peers.ts";
import { type RestoreRound, runRestores } from "./restores.ts";
import { addMedia } from "./site.ts";
import type { OurRun, World } from "./world.ts";

export const NEW_FILES = 20;
export const NEW_FILE_BYTES = 300_000;

/** With what its dump takes in the archive: sending that is part of the job. */
export interface MeasuredRun extends OurRun {
  readonly dumpStoredBytes: number;
}
export interface Ours {
  readonly first: OurRun;
  readonly unchanged: MeasuredRun;
  readonly newFiles: MeasuredRun;
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

export interface RoundOptions {
  readonly siteDir: string;
  readonly dir: string;
  readonly isPeerFirst: boolean;
}

export async function runRound(world: World, { siteDir, dir, isPeerFirst }: RoundOptions): Promise<Round> {
  const siteId = await world.register(siteDir);
  await using restic = await initRestic(world, dir);
  const added = join(siteDir, "wp-content", "uploads", "new");
  try {
    const warm = async <T>(run: () => Promise<T>): Promise<T> => {
      // A machine under memory pressure drops the site from its cache between two readers, and one pays for both.
      await warmUp(siteDir);
      return await onIdleDisk(run);
    };
    const backUp = (): Promise<OurRun> => world.backUp(siteId);
    const resticBackUp = (): Promise<number> => restic.backUp(siteDir);
    const peersFirst = async (): Promise<readonly [tar: number, restic: number]> => [
      await warm(() => timeTarZstd(siteDir, dir)),
      await warm(resticBackUp),
    ];
    const [first, [tar, resticFirst]] = await inTurns(isPeerFirst, () => warm(backUp), peersFirst);
    const restores = await runRestores(world, first.backup, { dir, isPeerFirst });
    // Not measured: after the first backup, what changed just before it is read again (wp-config.php).
    await inTurns(isPeerFirst, backUp, resticBackUp);
    const [unchanged, resticUnchanged] = await inTurns(isPeerFirst, backUp, resticBackUp);
    addMedia(siteDir, "new", NEW_FILES, NEW_FILE_BYTES);
    const [newFiles, resticNew] = await inTurns(isPeerFirst, backUp, resticBackUp);
    const measured = async (run: OurRun): Promise<MeasuredRun> => ({
      ...run,
      dumpStoredBytes: await world.dumpStoredBytes(run.backup),
    });
    return {
      ours: { first, unchanged: await measured(unchanged), newFiles: await measured(newFiles) },
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
  readonly extraBytes: number;
  readonly firstBytes: number;
  readonly unchangedBytes: number;
  readonly firstSeconds: number;
  readonly unchangedSeconds: number;
}

/** Peaks of a first and of an incremental backup of the site when `grow` has made it so much larger. */
export async function runLarger(
  world: World,
  siteDir: string,
  grow: () => Pick<MemoryRun, "extraFiles" | "extraBytes">,
): Promise<MemoryRun> {
  // Before the minutes in which this process does nothing else, and the Master in it closes no idle connection.
  const siteId = await world.register(siteDir);
  try {
    const extra = grow();
    const first = await world.backUp(siteId);
    const unchanged = await world.backUp(siteId);
    return {
      ...extra,
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
