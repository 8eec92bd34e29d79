// Restores of one backup, ours and the peer's taking turns.
import type { Backup } from "#shared/contracts/backups.ts";
import { inTurns } from "./in-turns.ts";
import { timeCurlTar } from "./peers.ts";
import { ONE_FILE } from "./site.ts";
import type { OurRestore, World } from "./world.ts";

export interface RestoreRound {
  readonly whole: OurRestore;
  readonly curlTar: number;
  readonly oneFile: OurRestore;
}

export async function runRestores(
  world: World,
  backup: Backup,
  { dir, isPeerFirst }: { readonly dir: string; readonly isPeerFirst: boolean },
): Promise<RestoreRound> {
  const url = await world.urlOf(backup);
  const [whole, curlTar] = await inTurns(
    isPeerFirst,
    () => world.restore(backup, []),
    () => timeCurlTar(url, dir),
  );
  return { whole, curlTar, oneFile: await world.restore(backup, [ONE_FILE]) };
}
