// A private real WordPress with its own MariaDB for a test in about a second: copied from a template that is built
// once per machine and rebuilt when what it is made from changes.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, relative } from "node:path";
import { findWordpress } from "#local/demo/copy-wordpress.ts";
import { type DemoSite, demoPaths, ensureDemoSite } from "#local/demo/demo-site.ts";
import { findProgram } from "#local/demo/find-program.ts";
import { runProgram } from "#local/run-program.ts";

export interface CloneOptions {
  /** An empty or missing directory, the test's own. */
  readonly dir: string;
  /** Adds that many files of 1 to 60 KB under wp-content/uploads/extra. */
  readonly extraFiles?: number;
}

const SOURCES_DIR = join(import.meta.dirname, "..", "..", "..", "local", "demo");
const KEEP_UNUSED_HOURS = 24;

/** Close it, or hold it with `await using`; the directory remains the caller's to remove. */
export async function cloneDemoSite({ dir, extraFiles = 0 }: CloneOptions): Promise<DemoSite> {
  const template = demoPaths(await ensureTemplate(extraFiles));
  await mkdir(dir, { recursive: true });
  // -a keeps times and modes, so that a clone looks to a backup like a site that has been there for a while.
  await runProgram("cp", ["-a", template.dataDir, template.siteDir, template.stateFile, dir]);
  return await ensureDemoSite({ dir, mariadbPort: 0, wordpressPort: 0 });
}

async function ensureTemplate(extraFiles: number): Promise<string> {
  const cacheDir = join(tmpdir(), `backupd-test-cache-${userInfo().uid}`);
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const template = join(cacheDir, `${await hashOfOrigins()}-${extraFiles}`);
  if (!(await isThere(template))) {
    await removeUnused(cacheDir);
    await buildTemplate(cacheDir, template, extraFiles);
  }
  const now = new Date();
  await utimes(template, now, now);
  return template;
}

/** Built beside and renamed, so that no lock can go stale: of two builders at once the second throws its own away. */
async function buildTemplate(cacheDir: string, template: string, extraFiles: number): Promise<void> {
  const building = await mkdtemp(join(cacheDir, "building-"));
  try {
    const site = await ensureDemoSite({ dir: building, mariadbPort: 0, wordpressPort: 0, extraFiles });
    await site.close();
    await rename(building, template);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!(await isThere(template))) throw error;
  }
}

async function hashOfOrigins(): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(SOURCES_DIR, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) {
    hash.update(relative(SOURCES_DIR, path)).update(await readFile(path));
  }
  hash.update(await readFile(join(findWordpress(), "wp-includes", "version.php")));
  hash.update(await runProgram(await findProgram("mariadbd"), ["--no-defaults", "--version"]));
  return hash.digest("hex").slice(0, 16);
}

async function removeUnused(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const path = join(cacheDir, name);
    const { mtimeMs } = await stat(path);
    if (mtimeMs < Date.now() - KEEP_UNUSED_HOURS * 3600 * 1000)
      await rm(path, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
