// Finds what a WordPress site consists of, given its directory: its wp-config.php, its database and its wp-content,
// wherever a moved content directory, Bedrock or WordPress' own one-level-up rule have put them.
import { lstatSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { BackupError } from "#shared/errors.ts";
import { type DbAddress, parseDbHost } from "../plan/db-host.ts";
import { parseWpConfig, type WpConfig } from "../plan/wp-config.ts";
import {
  isInside,
  mayPointTo,
  parentOf,
  readSiteFile,
  resolveOwned,
  type SiteFile,
} from "./read-site-file.ts";

export interface SiteDatabase {
  readonly name: string;
  readonly user: string;
  readonly password: string;
  readonly address: DbAddress;
}

export interface Site {
  /** Without symlinks, as is `contentDir`. */
  readonly configPath: string;
  readonly contentDir: string;
  readonly db: SiteDatabase;
  readonly tablePrefix?: string;
  /** Where WordPress itself lies (wp-settings.php), if it was found. */
  readonly coreDir?: string;
  /** That its wp-config.php sets, as far as they are known without running it. */
  readonly constants: ReadonlyMap<string, string | number | boolean>;
}

export interface SitePlace {
  /** The directory of wp-config.php, of WordPress itself, or of a Bedrock project. */
  readonly path: string;
  /** The operator's own file of constants and environment variables for this site; it wins over the site's. */
  readonly siteEnvFile?: string;
  /** For a restore: read in place of the site's own wp-config.php, and as if it lay there. */
  readonly configFile?: string;
  /** For a restore: there need not be a wp-content yet. */
  readonly contentMayBeMissing?: boolean;
}

/** @throws BackupError `site_path_missing`, `site_unreadable`, `wp_config_*`, `wp_content_missing`. */
export function readSite(place: SitePlace): Site {
  const root = rootOf(place.path);
  const config = place.configFile === undefined ? findConfig(root) : substitute(place.configFile, root);
  const own = place.siteEnvFile === undefined ? {} : readEnv(place.siteEnvFile);
  const parsed = parseWpConfig(config.text, {
    file: config.path,
    env: { ...readDotenvFiles(root), ...own },
    ...abspathOf(root),
    include: (path) => readInclude(path, root, config),
  });
  const db = databaseOf(parsed, own, config.path);
  const contentPlace = contentPlaceOf(own["WP_CONTENT_DIR"] ?? parsed.contentDir, parsed, root);
  const contentDir =
    place.contentMayBeMissing === true && !exists(contentPlace)
      ? missingContentDir(contentPlace, root, config)
      : existingContentDir(contentPlace, root, config);
  const { tablePrefix } = parsed;
  const coreDir = [root, parsed.abspath].find(
    (dir) => dir !== undefined && exists(join(dir, "wp-settings.php")),
  );
  return {
    configPath: config.path,
    contentDir,
    db,
    constants: parsed.constants,
    ...(tablePrefix === undefined ? {} : { tablePrefix }),
    ...(coreDir === undefined ? {} : { coreDir }),
  };
}

function rootOf(path: string): string {
  const root = resolveOwned(path);
  if (root === undefined) throw new BackupError("site_path_missing", { detail: `${path} is not there` });
  if (!statSync(root).isDirectory()) {
    throw new BackupError("site_path_missing", { detail: `${path} is not a directory` });
  }
  return root;
}

function substitute(path: string, root: string): SiteFile {
  const file = readSiteFile(path);
  if (file === undefined) throw new BackupError("wp_config_missing", { detail: `${path} is not there` });
  return { ...file, path: join(root, "wp-config.php") };
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function findConfig(root: string): SiteFile {
  const parent = parentOf(root);
  const here = readSiteFile(join(root, "wp-config.php"));
  if (here !== undefined) return here;
  // Bedrock: the project's directory was given, the web root is below.
  const bedrock = exists(join(root, "config/application.php"))
    ? readSiteFile(join(root, "web/wp-config.php"))
    : undefined;
  if (bedrock !== undefined) return bedrock;
  // WordPress' rule (wp-load.php): one level up, unless that is another WordPress.
  const above = exists(join(parent, "wp-settings.php"))
    ? undefined
    : readSiteFile(join(parent, "wp-config.php"));
  if (above !== undefined) return above;
  throw new BackupError("wp_config_missing", {
    detail: `There is no wp-config.php in ${root}, nor one level up`,
  });
}

/** WordPress sets it before it reads the config, so a config may build on it. Unknown if core lies elsewhere. */
function abspathOf(root: string): { abspath?: string } {
  return exists(join(root, "wp-settings.php")) ? { abspath: `${root}/` } : {};
}

function readEnv(path: string): Record<string, string> {
  const file = readSiteFile(path);
  // Node's type allows for undefined values; parseEnv() makes none.
  return file === undefined ? {} : ({ ...parseEnv(file.text) } as Record<string, string>);
}

/** The nearest one wins: frameworks keep .env beside the config or above the web root. */
function readDotenvFiles(root: string): Record<string, string> {
  const files = [2, 1, 0].map((levels) => readEnv(join(parentOf(root, levels), ".env")));
  return Object.assign({}, ...files);
}

/**
 * Only within the site, or beside its web root where Bedrock has its config/. There may be other sites there too, and
 * a hacked one must not have root read their passwords for it.
 */
function readInclude(path: string, root: string, config: SiteFile): string | undefined {
  const realPath = resolveOwned(path);
  if (realPath === undefined || !statSync(realPath).isFile()) return undefined;
  if (isInside(realPath, root)) return readSiteFile(realPath)?.text;
  if (!isInside(realPath, parentOf(config.path, 2))) return undefined;
  const file = readSiteFile(realPath);
  return file !== undefined && mayPointTo(config.uid, file.uid) ? file.text : undefined;
}

function databaseOf(parsed: WpConfig, own: Readonly<Record<string, string>>, file: string): SiteDatabase {
  const host = own["DB_HOST"] ?? parsed.db.host;
  const address = parseDbHost(host);
  if (address === undefined) {
    throw new BackupError("wp_config_unreadable", { detail: `${file}: DB_HOST: "${host}" is not a host` });
  }
  return {
    name: own["DB_NAME"] ?? parsed.db.name,
    user: own["DB_USER"] ?? parsed.db.user,
    password: own["DB_PASSWORD"] ?? parsed.db.password,
    address,
  };
}

function contentPlaceOf(set: string | undefined, parsed: WpConfig, root: string): string {
  const base = parsed.abspath ?? root;
  return set === undefined ? join(base, "wp-content") : isAbsolute(set) ? set : resolve(base, set);
}

function existingContentDir(path: string, root: string, config: SiteFile): string {
  const missing = (why: string): BackupError =>
    new BackupError("wp_content_missing", { detail: `${path} ${why}` });
  const realPath = resolveOwned(path);
  if (realPath === undefined) throw missing("is not there");
  const stat = statSync(realPath);
  if (!stat.isDirectory()) throw missing("is not a directory");
  checkContentOwner(path, stat.uid, root, config);
  return realPath;
}

function missingContentDir(path: string, root: string, config: SiteFile): string {
  const parent = resolveOwned(dirname(path));
  if (parent === undefined) {
    throw new BackupError("wp_content_missing", {
      detail: `${dirname(path)}, where wp-content belongs, is not there`,
    });
  }
  checkContentOwner(path, statSync(parent).uid, root, config);
  return join(parent, basename(path));
}

function checkContentOwner(path: string, ownerUid: number, root: string, config: SiteFile): void {
  const lies = resolveOwned(dirname(path)) ?? "/";
  const ownPlace = isInside(lies, root) || isInside(lies, dirname(config.path));
  if (ownPlace || mayPointTo(config.uid, ownerUid)) return;
  throw new BackupError("site_unreadable", {
    detail: `${config.path} of user ${config.uid} says that wp-content is ${path}, which user ${ownerUid} owns`,
    hint: "Make root the owner of wp-config.php, or let both have the same owner.",
  });
}
