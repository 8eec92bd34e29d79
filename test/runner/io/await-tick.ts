// For tests that write files as fast as they can: their order shows in no stat unless the clock moves on in between.
import { lstatSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Until the clock of the file system has moved on: what is written afterwards has a later ctime than all before. */
export function awaitTick(dir: string): void {
  const probe = join(dir, "probe");
  const touch = (): bigint => {
    utimesSync(probe, 0, 0);
    return lstatSync(probe, { bigint: true }).ctimeNs;
  };
  writeFileSync(probe, "");
  const before = touch();
  while (touch() <= before || BigInt(Date.now()) * 1_000_000n <= before);
}
