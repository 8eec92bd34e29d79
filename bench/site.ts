// The site that is measured: WordPress' own PHP, JS, CSS and PNG files several times over, each copy a little different
// (as plugins differ; identical ones would flatter tools that deduplicate), and media that do not compress. The same
// bytes on every machine that has the same WordPress.
import { type Cipheriv, createCipheriv } from "node:crypto";
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { findWordpress } from "#local/demo/copy-wordpress.ts";

export interface SiteSize {
  readonly smallFiles: number;
  readonly mediaFiles: number;
  readonly mediaBytes: number;
}

/** 22,000 files, 1.4 GB. */
export const USUAL_SITE: SiteSize = { smallFiles: 20_700, mediaFiles: 1300, mediaBytes: 740_000 };
/** To see whether the bench works, not what anything costs. */
export const SMALL_SITE: SiteSize = { smallFiles: 400, mediaFiles: 40, mediaBytes: 740_000 };

/** A file of 300 KB among the media, for who wants back one file. */
export const ONE_FILE = "wp-content/uploads/one-file.jpg";
const ONE_FILE_BYTES = 300_000;

/** Of what is built: a directory that was kept with another one is not taken for this one. */
const RECIPE = 2;

/** Long before any backup of it: a file that was just written is read again next time, as it might still change. */
const MODIFIED = new Date("2026-01-15T12:00:00Z");
const SKIPPED: ReadonlySet<string> = new Set(["cache", "node_modules"]);
const PER_DIRECTORY = 200;

/**
 * `dir`/site with that in wp-content, built now or found whole; wp-config.php is the caller's. A site that was half built,
 * or built otherwise, is somebody's: it is refused, not removed.
 */
export function ensureSite(dir: string, size: SiteSize, say: (text: string) => void): string {
  const siteDir = join(dir, "site");
  const markerFile = join(dir, "site.json");
  const marker = JSON.stringify({ recipe: RECIPE, ...size });
  if (existsSync(siteDir)) {
    const found = existsSync(markerFile) ? readFileSync(markerFile, "utf8") : "none";
    if (found === marker) return siteDir;
    throw new Error(`${siteDir} is another site, or half built: remove it, or name another --dir`);
  }
  say("Building the site …");
  buildSite(siteDir, size);
  writeFileSync(markerFile, marker);
  return siteDir;
}

function buildSite(siteDir: string, size: SiteSize): void {
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
  writeIn(join(siteDir, ONE_FILE), noiseOf("one").update(Buffer.alloc(ONE_FILE_BYTES)), made);
}

/** New files that do not compress, in directories of their own; gives their bytes. */
export function addMedia(siteDir: string, name: string, files: number, fileBytes: number): number {
  writeMedia(join(siteDir, "wp-content", "uploads", name), files, fileBytes, name, new Set());
  return files * fileBytes;
}

export interface Growth {
  readonly extraFiles: number;
  readonly extraBytes: number;
}

/**
 * Makes the site `times` as large, in files and in bytes, by what is below `dir` then. The bytes are in copies of one file
 * that does not compress, which share its blocks where the file system can do that; hard links would be backed up as links.
 */
export function growSite(siteDir: string, dir: string, size: SiteSize, times: number): Growth {
  const made = new Set<string>();
  const extraFiles = (size.mediaFiles + size.smallFiles) * (times - 1);
  const mediaFiles = Math.ceil((bytesBelow(siteDir) * (times - 1)) / size.mediaBytes);
  const tinyFiles = extraFiles - mediaFiles;
  const original = join(dir, "original.jpg");
  writeIn(original, noiseOf("original").update(Buffer.alloc(size.mediaBytes)), made);
  for (let index = 1; index < mediaFiles; index += 1) {
    const directory = join(dir, "media", String(Math.floor(index / PER_DIRECTORY)));
    makeDirectory(directory, made);
    const copy = join(directory, `media-${index}.jpg`);
    copyFileSync(original, copy, constants.COPYFILE_FICLONE);
    utimesSync(copy, MODIFIED, MODIFIED);
  }
  for (let index = 0; index < tinyFiles; index += 1) {
    const directory = join(dir, "tiny", String(Math.floor(index / PER_DIRECTORY)));
    const name = `picture-of-something-${index}-150x150.txt`;
    writeIn(join(directory, name), Buffer.from(`number ${index}\n`), made);
  }
  return { extraFiles, extraBytes: mediaFiles * size.mediaBytes };
}

function bytesBelow(dir: string): number {
  return readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(dir, entry.name);
    return sum + (entry.isDirectory() ? bytesBelow(path) : statSync(path).size);
  }, 0);
}

function writeMedia(dir: string, files: number, fileBytes: number, name: string, made: Set<string>): void {
  const noise = noiseOf(name);
  const zeros = Buffer.alloc(fileBytes);
  for (let index = 0; index < files; index += 1) {
    const directory = join(dir, String(Math.floor(index / PER_DIRECTORY)));
    writeIn(join(directory, `${name}-${index}.jpg`), noise.update(zeros), made);
  }
}

/** The same bytes for the same name. */
function noiseOf(name: string): Cipheriv {
  return createCipheriv("aes-128-ctr", Buffer.from(name.padEnd(16).slice(0, 16)), Buffer.alloc(16));
}

function makeDirectory(directory: string, made: Set<string>): void {
  if (made.has(directory)) return;
  mkdirSync(directory, { recursive: true });
  made.add(directory);
}

function writeIn(path: string, bytes: Buffer, made: Set<string>): void {
  makeDirectory(path.slice(0, path.lastIndexOf("/")), made);
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
