// Whoever comes second finds warmer caches: so each is it in turn. And nobody waits for what another has written: the disk
// is idle when each begins (before this, the same restore took 5 to 14 s).
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Both results, ours first. */
export async function inTurns<A, B>(
  isPeerFirst: boolean,
  ours: () => Promise<A>,
  peer: () => Promise<B>,
): Promise<readonly [A, B]> {
  if (!isPeerFirst) return [await onIdleDisk(ours), await onIdleDisk(peer)];
  const peers = await onIdleDisk(peer);
  return [await onIdleDisk(ours), peers];
}

/** After everything that is in the page cache only has been written. */
export async function onIdleDisk<T>(run: () => Promise<T>): Promise<T> {
  await promisify(execFile)("sync");
  return await run();
}
