// A file is there whole or not at all, also after kill -9 or a power cut: written beside, synced, renamed, and
// the directory synced so that the new name is as durable as the content.
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export const TEMPORARY_SUFFIX = ".tmp";

async function syncDirectory(path: string): Promise<void> {
  await using dir = await open(path, "r");
  await dir.sync();
}

/** Writes `data` to `path` with mode 0600. Throws what the file system says; then `path` is as it was. */
export async function writeFileAtomic(path: string, data: string | Iterable<Uint8Array>): Promise<void> {
  const beside = `${path}.${randomUUID()}${TEMPORARY_SUFFIX}`;
  try {
    {
      await using file = await open(beside, "wx", 0o600);
      await file.writeFile(data);
      await file.sync();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}
