// The Master's storage identity on the local stack: what `npm run deploy` makes on AWS.
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateX25519Identity } from "age-encryption";

export const STORAGE_IDENTITY = "/backupd/local/storage-identity";

/** Reads `<dir>/storage-identity`, or makes it. */
export async function ensureStorageIdentity(dir: string): Promise<string> {
  const file = join(dir, "storage-identity");
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const identity = await generateX25519Identity();
  await writeFile(`${file}.new`, `${identity}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return identity;
}
