// The site that is measured: WordPress' own PHP, JS, CSS and PNG files several times over, each copy a little different
// (as plugins differ; identical ones would flatter tools that deduplicate), and media that do not compress. The same
// bytes on every machine that has the same WordPress.
import { createCipheriv } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findWordpress } from "#local/demo/copy-wordpress.ts";

export interface SiteSize {
  readonly smallFiles: number;
  readonly mediaFiles: number;
  readonly mediaBytes: number;
}

/** 22,000 files, 1.4 GB. */
export const USUAL_SITE: SiteSize = { smallFiles: 20_700, mediaFiles: 1300, mediaBytes: 740_000 };

/** Long before any backup of it: a file that was just written is read again next time, as it might still change. */
const MODIFIED = new Date("2026-01-15T12:00:00Z");
const SKIPPED: ReadonlySet<string> = new Set(["cache", "node_modules"]);
const PER_DIRECTORY = 200;

/** Makes `siteDir`/wp-content; wp-config.php is the caller's. */
export function buildSite(siteDir: string, size: SiteSize): void {
  const contentDir = join(siteDir, "wp-content");
  const originals = [...smallFilesBelow(findWordpress(), "")];
  const made = new Set<string>();
  for (let index = 0; index < size.smallFiles; index += 1) {
    const original = originals[index % originals.length];
    if (original === undefined) throw new Error("WordPress has no files");
    const copy = Math.floor(index / originals.length);
    const bytes = Buffer.concat([original.bytes, Buffer.from(`\n/* ${copy} of ${original.path} */\n`)]);
    writeIn(join(contentDir, "plugins", `plugin-${copy}`, original.path), bytes, made);
  }
  writeMedia(join(contentDir, "uploads"), size.mediaFiles, size.mediaBytes, "media", made);
}

/** New files that do not compress, in directories of their own; gives their bytes. */
export function addMedia(siteDir: string, name: string, files: number, fileBytes: number): number {
  writeMedia(join(siteDir, "wp-content", "uploads", name), files, fileBytes, name, new Set());
  return files * fileBytes;
}

/** Files of a few bytes, for what a file costs as such. */
export function addTinyFiles(siteDir: string, files: number): void {
  const made = new Set<string>();
  for (let index = 0; index < files; index += 1) {
    const directory = join(
      siteDir,
      "wp-content",
      "uploads",
      "tiny",
      String(Math.floor(index / PER_DIRECTORY)),
    );
    writeIn(
      join(directory, `picture-of-something-${index}-150x150.txt`),
      Buffer.from(`number ${index}\n`),
      made,
    );
  }
}

function writeMedia(dir: string, files: number, fileBytes: number, name: string, made: Set<string>): void {
  const noise = createCipheriv("aes-128-ctr", Buffer.from(name.padEnd(16).slice(0, 16)), Buffer.alloc(16));
  const zeros = Buffer.alloc(fileBytes);
  for (let index = 0; index < files; index += 1) {
    const directory = join(dir, String(Math.floor(index / PER_DIRECTORY)));
    writeIn(join(directory, `${name}-${index}.jpg`), noise.update(zeros), made);
  }
}

function writeIn(path: string, bytes: Buffer, made: Set<string>): void {
  const directory = path.slice(0, path.lastIndexOf("/"));
  if (!made.has(directory)) {
    mkdirSync(directory, { recursive: true });
    made.add(directory);
  }
  writeFileSync(path, bytes);
  utimesSync(path, MODIFIED, MODIFIED);
}

function* smallFilesBelow(
  root: string,
  prefix: string,
): Generator<{ path: string; bytes: Buffer }, void, undefined> {
  for (const name of readdirSync(join(root, prefix)).sort()) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    if (SKIPPED.has(name) || path === "wp-config.php") continue;
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (stat?.isDirectory()) yield* smallFilesBelow(root, path);
    else if (stat?.isFile()) yield { path, bytes: readFileSync(join(root, path)) };
  }
}
