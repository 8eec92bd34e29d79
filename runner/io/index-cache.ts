// Keeps the index of each site's newest archive on the node, so that the next backup need not read it from the
// storage. Only its hash says whether it is the right one, so losing it, or writing it for nothing, does no harm.
import { hash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { TEMPORARY_SUFFIX, writeFileAtomic } from "./atomic-file.ts";

export interface CachedIndex {
  /** Index frames, as stored. */
  readonly index: Uint8Array;
  readonly sha256: string;
}

/** Undefined if there is none. */
export async function readCachedIndex(file: string): Promise<CachedIndex | undefined> {
  try {
    const index = await readFile(file);
    return { index, sha256: hash("sha256", index, "hex") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Mode 0600; the file is the old one or the new one. Throws what the file system says. */
export async function writeCachedIndex(file: string, index: Iterable<Uint8Array>): Promise<void> {
  await writeFileAtomic(file, index);
}

/** Removes what a crash left half-written. */
export async function sweepIndexCache(dir: string): Promise<void> {
  const torn = (await readdir(dir)).filter((name) => name.endsWith(TEMPORARY_SUFFIX));
  for (const name of torn) await rm(join(dir, name), { force: true });
}
