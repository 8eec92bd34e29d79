// How much room a file system has, for whoever is not root: what is kept back for root is not counted.
import { statfs } from "node:fs/promises";

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export async function diskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

export async function freeBytes(path: string): Promise<number> {
  return (await diskSpace(path)).freeBytes;
}
