// Restores of one backup, ours and the peer's taking turns.
import type { Backup } from "#shared/contracts/backups.ts";
import { timeCurlTar } from "./peers.ts";
import type { OurRestore, World } from "./world.ts";

export interface RestoreRound {
  readonly whole: OurRestore;
  readonly curlTar: number;
  readonly oneFile: OurRestore;
}

/** Of bench/site.ts' media: in the middle of the archive, and of 740 kB. */
const ONE_FILE = "wp-content/uploads/3/media-700.jpg";
export async function runRestores(world: World, backup: Backup, dir: string): Promise<RestoreRound> {
  const url = await world.urlOf(backup);
  const whole = await world.restore(backup, []);
  const curlTar = await timeCurlTar(url, dir);
  return { whole, curlTar, oneFile: await world.restore(backup, [ONE_FILE]) };
}
