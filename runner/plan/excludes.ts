// What of wp-content a backup leaves out: caches and node_modules always, what other backup plugins have piled up by
// default, and whatever the operator's globs say.
import type { ByteString } from "./byte-string.ts";
import { type Glob, matchesGlob, parseGlob } from "./glob.ts";

const ALWAYS: ReadonlySet<ByteString> = new Set(["cache", "node_modules"]);

/** Archives of other backup plugins: copies of the same data, often larger than the site. */
const OTHER_BACKUPS: readonly Glob[] = [
  "ai1wm-backups/",
  "backup-db/",
  "backups-dup-lite/",
  "backups-dup-pro/",
  "backups-duplicator/",
  "backupwordpress-*/",
  "backuply/",
  "managewp/backups/",
  "updraft/",
  "wpvivid_uploads/",
  "wpvividbackups/",
  "uploads/backup-guard/",
  "uploads/backupbuddy_backups/",
  "uploads/backupbuddy_temp/",
  "uploads/backwpup-*/",
  "uploads/backwpup/",
  "uploads/jetbackup/",
  "uploads/pb_backupbuddy/",
  "uploads/snapshots/",
  "uploads/wp-clone/",
  "uploads/wp-staging/backups/",
].map(parseGlob);

/** `path`: the parts of the name below wp-content, at least one. */
export type Excludes = (path: readonly ByteString[], isDirectory: boolean) => boolean;

/**
 * Composer puts `psr/cache`, `symfony/cache` and their like at `vendor/<organisation>/cache`: code, without which a
 * restored plugin ends in a fatal error (docs/adr/0006).
 */
function isComposerPackage(path: readonly ByteString[]): boolean {
  return path.at(-1) === "cache" && path.at(-3) === "vendor";
}

export function excludesFor(siteGlobs: readonly string[]): Excludes {
  const isChosen = chosenExcludesFor(siteGlobs);
  return (path, isDirectory) => isAlwaysExcluded(path, isDirectory) || isChosen(path, isDirectory);
}

/** Caches and node_modules, which a site makes again by itself. */
export function isAlwaysExcluded(path: readonly ByteString[], isDirectory: boolean): boolean {
  return isDirectory && ALWAYS.has(path.at(-1) ?? "") && !isComposerPackage(path);
}

/** What is left out although nobody makes it again: no backup has it, so a restore must leave it where it is. */
export function chosenExcludesFor(siteGlobs: readonly string[]): Excludes {
  const globs = [...OTHER_BACKUPS, ...siteGlobs.map(parseGlob)];
  return (path, isDirectory) => globs.some((glob) => matchesGlob(glob, path, isDirectory));
}
