// WordPress sites on this machine that nobody may have thought of: the Master shows them to operators. Bounded in
// depth and in number, and symlinks are not followed, so that a hostile tree cannot keep root busy.
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { SitePath } from "#shared/contracts/sites.ts";

export const DEFAULT_SITE_ROOTS: readonly string[] = ["/var/www", "/home/*/public_html", "/srv"];

const MAX_DEPTH = 4;
const MAX_DIRECTORIES = 5_000;
const MAX_SITES = 500;
/** Never holds a site's own wp-config.php, but often very many directories. */
const SKIP: ReadonlySet<string> = new Set([
  "wp-content",
  "wp-includes",
  "wp-admin",
  "node_modules",
  "vendor",
]);

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch {
    // Gone, or not ours to read: then there is nothing to discover in it.
    return [];
  }
}

const isPlainDirectory = (entry: Dirent): boolean =>
  entry.isDirectory() && !entry.name.startsWith(".") && !SKIP.has(entry.name);

/** `/home/{any}/public_html` (with a `*`) as the directories that are there; `*` stands for one whole name. */
async function expandRoot(root: string): Promise<string[]> {
  let paths = ["/"];
  for (const part of root.split("/").filter((name) => name !== "")) {
    if (part !== "*") {
      paths = paths.map((path) => join(path, part));
      continue;
    }
    const wider = await Promise.all(
      paths.map(async (path) =>
        (await entriesOf(path)).filter(isPlainDirectory).map(({ name }) => join(path, name)),
      ),
    );
    paths = wider.flat().slice(0, MAX_DIRECTORIES);
  }
  return paths;
}

/** Directories with a wp-config.php below `roots`, in the order found. */
export async function discoverSites(roots: readonly string[]): Promise<string[]> {
  const sites: string[] = [];
  const todo: { path: string; depth: number }[] = [];
  for (const root of roots) for (const path of await expandRoot(root)) todo.push({ path, depth: 0 });
  for (let seen = 0; seen < MAX_DIRECTORIES && sites.length < MAX_SITES; seen += 1) {
    const next = todo.shift();
    if (next === undefined) break;
    const entries = await entriesOf(next.path);
    if (entries.some((entry) => entry.name === "wp-config.php" && entry.isFile())) {
      if (SitePath.safeParse(next.path).success) sites.push(next.path);
    } else if (next.depth < MAX_DEPTH) {
      const below = entries.filter(isPlainDirectory);
      todo.push(...below.map(({ name }) => ({ path: join(next.path, name), depth: next.depth + 1 })));
    }
  }
  return sites;
}
