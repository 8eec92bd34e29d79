// The trial of a restored WordPress: its own core, the backup's wp-content and the throw-away database, in a cage, asked for
// the front page once. What it says of the backup is plan/proof/boot-outcome.ts'.
import { randomBytes } from "node:crypto";
import { lstat, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asBackupError } from "#shared/errors.ts";
import { renderBootConfig } from "../../plan/proof/boot-config.ts";
import { type BootOutcome, bootOutcome, notBooted } from "../../plan/proof/boot-outcome.ts";
import { type BootVisit, PHP_LOG, routerScript, visitorScript } from "../../plan/proof/boot-scripts.ts";
import { quoteName } from "../../plan/restore/text-tables.ts";
import { askDatabase } from "../mysql-client.ts";
import { readSite, type Site, type SiteDatabase } from "../site.ts";
import { copyCore, findCore } from "./copy-core.ts";
import { type Cage, readOutput, runCaged } from "./php-cage.ts";

export interface BootRequest {
  readonly cage: Cage;
  /** As extracted, the cage's user's: database.sql, wp-config.php, wp-content. */
  readonly extractedDir: string;
  /** The live site, if there is one on this node: its WordPress is copied, and its .env may name constants. */
  readonly live: { readonly path: string; readonly siteEnvFile: string } | undefined;
  readonly db: SiteDatabase;
  /** Of the throw-away server. */
  readonly socketFile: string;
  /** Exists, is ours alone. */
  readonly dir: string;
  readonly signal: AbortSignal;
}

const ROOT = "/site";
const SOCKET = "/db/sock";
const VISIT_SECONDS = 45;
const PATIENCE_MS = 60_000;
/** Their counterparts run elsewhere (Redis, a page cache's directory); without them WordPress uses its own. */
const DROP_INS = ["object-cache.php", "advanced-cache.php"];

const PHP_FLAGS = Object.entries({
  display_errors: "0",
  log_errors: "1",
  error_log: PHP_LOG,
  "zend.exception_ignore_args": "1",
  memory_limit: "512M",
  max_execution_time: String(VISIT_SECONDS),
  sendmail_path: "/bin/false",
  "opcache.enable_cli": "0",
  auto_prepend_file: "",
  auto_append_file: "",
  open_basedir: "",
}).flatMap(([name, value]) => ["-d", `${name}=${value}`]);

/** @throws BackupError `db_*`, `disk_full`; the signal's reason. */
export async function bootSite(request: BootRequest): Promise<BootOutcome> {
  const { cage, dir, signal } = request;
  const site = readRestored(request);
  if (typeof site === "string") return notBooted(site);
  const core = findCore(site.coreDir);
  if (core === undefined) {
    return notBooted("WordPress' own files are neither in the site nor in /usr/share/wordpress");
  }
  const [coreDir, scriptDir] = [join(dir, "core"), join(dir, "scripts")];
  for (const path of [coreDir, scriptDir]) await mkdir(path, { mode: 0o755 });
  const fault = await copyCore(core, coreDir, cage.uid, signal);
  if (fault !== undefined) return notBooted(fault);
  // In the archive it may be a link: what the cage is shown must be ours.
  const content = join(request.extractedDir, "wp-content");
  if (!(await lstat(await madeDirectory(content))).isDirectory())
    return notBooted("wp-content is no directory");
  const visit = await visitOf(site, request);
  await layOut(site, visit, request, { coreDir, scriptDir });
  const logFile = join(dir, "log");
  const end = await runCaged(cage, {
    mounts: [
      { from: coreDir, to: ROOT },
      { from: content, to: `${ROOT}/wp-content` },
      { from: scriptDir, to: "/boot" },
    ],
    socket: { from: request.socketFile, to: SOCKET },
    args: [...PHP_FLAGS, "/boot/visitor.php", ...PHP_FLAGS],
    cwd: dir,
    logFile,
    patienceMs: PATIENCE_MS,
    signal,
  });
  return bootOutcome(await readOutput(logFile), end);
}

/** As the restored wp-config.php says, read and never run. A text says why it cannot be told. */
function readRestored({ extractedDir, live }: BootRequest): Site | string {
  const places = [
    ...(live === undefined ? [] : [{ ...live, configFile: join(extractedDir, "wp-config.php") }]),
    { path: extractedDir },
  ];
  let fault = "";
  for (const place of places) {
    try {
      return readSite({ ...place, contentMayBeMissing: true });
    } catch (error) {
      fault ||= asBackupError(error, "wp_config_unreadable").message;
    }
  }
  return fault;
}

async function visitOf(
  { constants, tablePrefix }: Site,
  { db, signal }: BootRequest,
): Promise<BootVisit & { isHttps: boolean }> {
  const set = constants.get("WP_HOME");
  const home = typeof set === "string" ? set : await homeOf(db, tablePrefix ?? "wp_", signal);
  const url = URL.canParse(home) ? new URL(home) : new URL("http://localhost");
  return {
    host: url.host,
    base: url.pathname.replace(/\/+$/, ""),
    root: ROOT,
    patienceSeconds: VISIT_SECONDS,
    isHttps: url.protocol === "https:",
  };
}

async function homeOf(db: SiteDatabase, tablePrefix: string, signal: AbortSignal): Promise<string> {
  const options = quoteName(`${tablePrefix}options`);
  const sql = `SELECT option_value FROM ${options} WHERE option_name = 'home'`;
  // That there is no such table, the visit will show.
  return (await askDatabase(db, sql, signal).catch(() => "")).trim();
}

/** A backup may have none. */
async function madeDirectory(path: string): Promise<string> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  return path;
}

async function layOut(
  { constants, tablePrefix = "wp_" }: Site,
  visit: BootVisit & { readonly isHttps: boolean },
  { db, extractedDir }: BootRequest,
  { coreDir, scriptDir }: { readonly coreDir: string; readonly scriptDir: string },
): Promise<void> {
  const config = renderBootConfig({
    constants,
    tablePrefix,
    db: { name: db.name, user: db.user, socketPath: SOCKET },
    root: ROOT,
    isHttps: visit.isHttps,
    secret: randomBytes(32).toString("hex"),
  });
  const content = join(extractedDir, "wp-content");
  for (const name of DROP_INS) await rm(join(content, name), { force: true, recursive: true });
  await mkdir(join(coreDir, "wp-content"));
  await writeFile(join(coreDir, "wp-config.php"), config, { mode: 0o644 });
  await writeFile(join(scriptDir, "router.php"), routerScript(visit), { mode: 0o644 });
  await writeFile(join(scriptDir, "visitor.php"), visitorScript(visit), { mode: 0o644 });
}
