// The demo site of the local stack: a real WordPress on a real MariaDB in one directory, made on first use and
// found again later. Its state file is written last, so that an interrupted first run starts over cleanly.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { endAbandonedProcess } from "../own-process.ts";
import { type Mariadb, startMariadb } from "./mariadb.ts";
import { type PhpServer, servePhp } from "./php-server.ts";
import {
  ensureDatabase,
  placeWordpress,
  runInstaller,
  type SeededContent,
  seedContent,
  seedRecordFile,
} from "./wordpress.ts";
import { findDbPassword, repointWpConfig } from "./wp-config.ts";

export interface DemoSiteOptions {
  readonly dir: string;
  /** 0: any free one, also for the next. */
  readonly mariadbPort: number;
  readonly wordpressPort: number;
  readonly onStep?: (text: string) => void;
  readonly title?: string;
  readonly seed?: number;
  readonly extraFiles?: number;
}

export interface DemoSite extends AsyncDisposable {
  readonly siteDir: string;
  readonly siteUrl: string;
  readonly db: { readonly host: string; readonly port: number; readonly name: string; readonly user: string };
  readonly mariadb: Mariadb;
  readonly php: PhpServer;
  readonly postUrl: string;
  readonly imageUrl: string;
  /** Read from wp-config.php at each call, as a restore may have changed it; undefined when that file is gone. */
  readDbPassword(): Promise<string | undefined>;
  close(): Promise<void>;
}

export const DB_NAME = "wordpress";
export const DB_USER = "wordpress";
const HOST = "127.0.0.1";

/** Raised when what is in the directory changes shape; older directories are then made anew. */
const STATE_VERSION = 1;
interface DemoState extends SeededContent {
  readonly version: number;
}

export const demoPaths = (dir: string): { dataDir: string; siteDir: string; stateFile: string } => ({
  dataDir: join(dir, "mysql"),
  siteDir: join(dir, "site"),
  stateFile: join(dir, "demo.json"),
});

export async function ensureDemoSite(options: DemoSiteOptions): Promise<DemoSite> {
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const state = await readState(dir);
  return state === undefined ? await makeSite(dir, options) : await startSite(dir, state, options);
}

async function makeSite(dir: string, options: DemoSiteOptions): Promise<DemoSite> {
  const { dataDir, siteDir, stateFile } = demoPaths(dir);
  const say = options.onStep ?? (() => undefined);
  await endAbandonedProcess("MariaDB", `${dataDir}.process.json`);
  await endAbandonedProcess("The seeding", seedRecordFile(dir));
  for (const path of [dataDir, siteDir]) await rm(path, { recursive: true, force: true });

  await using started = new AsyncDisposableStack();
  say("Starting a private MariaDB");
  const mariadb = started.use(await startMariadb({ dataDir, port: options.mariadbPort }));
  const password = randomBytes(24).toString("base64url");
  await ensureDatabase(mariadb, DB_NAME, DB_USER, password);
  say("Installing WordPress");
  const php = started.use(await servePhp({ siteDir, port: options.wordpressPort, runDir: dir }));
  const db = { host: HOST, port: mariadb.port, name: DB_NAME, user: DB_USER, password };
  await placeWordpress(siteDir, db, php.port);
  await runInstaller(`http://${HOST}:${php.port}`, options.title ?? "Harbour Lane Pottery");
  say("Writing posts, comments, pictures and orders");
  const content = await seedContent(siteDir, dir, {
    seed: options.seed ?? 1,
    extraFiles: options.extraFiles ?? 0,
  });
  const state: DemoState = { version: STATE_VERSION, ...content };
  await writeFile(`${stateFile}.new`, JSON.stringify(state));
  await rename(`${stateFile}.new`, stateFile);
  return toDemoSite(dir, state, mariadb, php, started.move());
}

async function startSite(dir: string, state: DemoState, options: DemoSiteOptions): Promise<DemoSite> {
  const { dataDir, siteDir } = demoPaths(dir);
  options.onStep?.("Starting MariaDB and WordPress");
  await using started = new AsyncDisposableStack();
  const mariadb = started.use(await startMariadb({ dataDir, port: options.mariadbPort }));
  const php = started.use(await servePhp({ siteDir, port: options.wordpressPort, runDir: dir }));
  await repoint(siteDir, mariadb, php.port);
  return toDemoSite(dir, state, mariadb, php, started.move());
}

/**
 * Makes files and database agree on ports and password. A site without a wp-config.php was destroyed, probably on
 * purpose: it is served as the ruin it is, for a restore to repair.
 */
async function repoint(siteDir: string, mariadb: Mariadb, sitePort: number): Promise<void> {
  const path = join(siteDir, "wp-config.php");
  const text = await readIfThere(path);
  if (text === undefined) return;
  const repointed = repointWpConfig(text, { mariadbPort: mariadb.port, sitePort });
  // Only when it differs: an unchanged file keeps its times, and a backup need not read it again.
  if (repointed !== text) await writeFile(path, repointed);
  const password = findDbPassword(repointed);
  if (password !== undefined) await ensureDatabase(mariadb, DB_NAME, DB_USER, password);
}

function toDemoSite(
  dir: string,
  { postPath, imagePath }: SeededContent,
  mariadb: Mariadb,
  php: PhpServer,
  started: AsyncDisposableStack,
): DemoSite {
  const { siteDir } = demoPaths(dir);
  const siteUrl = `http://${HOST}:${php.port}`;
  const close = (): Promise<void> => started.disposeAsync();
  return {
    siteDir,
    siteUrl,
    db: { host: HOST, port: mariadb.port, name: DB_NAME, user: DB_USER },
    mariadb,
    php,
    postUrl: siteUrl + postPath,
    imageUrl: siteUrl + imagePath,
    readDbPassword: async () => findDbPassword((await readIfThere(join(siteDir, "wp-config.php"))) ?? ""),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readState(dir: string): Promise<DemoState | undefined> {
  const text = await readIfThere(demoPaths(dir).stateFile);
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as DemoState;
  return state.version === STATE_VERSION ? state : undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
