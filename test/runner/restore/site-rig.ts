// A small site on a real MariaDB, a backup of it to restore, and the site's whole state as one text: what restores are
// held against. The backup is a directory: reading archives has tests of its own.
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type Mariadb, startMariadb } from "#local/demo/mariadb.ts";
import { dumpForComparison } from "#local/prove-restore.ts";
import { type Clock, systemClock } from "#runner/clock.ts";
import { humanLog } from "#runner/io/log.ts";
import { openRestoreStore } from "#runner/io/restore/restore-store.ts";
import { openSiteTree } from "#runner/io/restore/site-tree.ts";
import { openStateDir } from "#runner/io/state-dir.ts";
import { openTerminal } from "#runner/io/terminal.ts";
import { keepRestores, type RestoreKeeper } from "#runner/keep-restores.ts";
import type { RestoreDeps, RestoreRequest, RestoreSource } from "#runner/restore-context.ts";
import { packTo } from "#test/runner/io/pack-to-tree.ts";

/** What the site's address becomes where a restore changes it. */
export const NEW_URL = "https://new.example";
export const SITE_ID = "11111111-2222-4333-8444-555555555555";

export interface SiteRig extends AsyncDisposable {
  readonly dir: string;
  readonly siteDir: string;
  readonly stateDir: string;
  readonly backupDir: string;
  /** The same backup as an archive. */
  readonly archive: string;
  readonly server: Mariadb;
  /** Files with their types, modes and content, and the database's dump. */
  state(): Promise<string>;
  /** The state that the backup holds, then the site's own again. */
  reset(): Promise<void>;
  /** Paths of ours in the site's directory, and of restores in the state directory. */
  leftovers(): string[];
}

const OLD = "old, as it is before the restore";
const THEN = "then, as the backup has it";

export async function makeSiteRig(): Promise<SiteRig> {
  const dir = realpathSync(mkdtempSync(join(fastDirectory(), "backupd-restore-")));
  const server = await startMariadb({ dataDir: join(dir, "db"), port: 0 });
  await server.exec("CREATE USER wp@localhost IDENTIFIED BY 'se''cret'; GRANT ALL ON shop.* TO wp@localhost");
  const paths = { siteDir: join(dir, "site"), stateDir: join(dir, "state"), backupDir: join(dir, "backup") };
  const rig: SiteRig = {
    dir,
    ...paths,
    archive: join(dir, "shop_20260102_030405.tar.zst"),
    server,
    async state() {
      const file = join(dir, "state.sql");
      await dumpForComparison(server, "shop", file);
      return `${describeTree(paths.siteDir).join("\n")}\n${await readFile(file, "utf8")}`;
    },
    async reset() {
      for (const path of [paths.siteDir, paths.stateDir]) rmSync(path, { recursive: true, force: true });
      laySite(paths.siteDir, server, OLD);
      await fillDatabase(server, OLD, "wp_later");
    },
    leftovers() {
      const inSite = readdirSync(paths.siteDir).filter((name) => /^\.(?:backupd|maintenance)/.test(name));
      const restores = join(paths.stateDir, "restores");
      const inState = existsSync(restores) ? readdirSync(restores) : [];
      return [...inSite, ...inState.filter((name) => !name.endsWith(".lock"))];
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  laySite(paths.siteDir, server, THEN);
  await fillDatabase(server, THEN, "wp_gone");
  mkdirSync(paths.backupDir);
  for (const name of ["wp-config.php", "wp-content"])
    copy(join(paths.siteDir, name), join(paths.backupDir, name));
  const dump = join(paths.backupDir, "database.sql");
  await dumpForComparison(server, "shop", dump);
  await packTo(
    rig.archive,
    { site: paths.backupDir, content: join(paths.backupDir, "wp-content") },
    { dump: await readFile(dump, "utf8"), frameBytes: 4096 },
  );
  return rig;
}

const SHARED_MEMORY = "/dev/shm";
const ROOM_BYTES = 512 * 1024 * 1024;

/** A restore has the kernel write everything to its disk, a hundred times in these tests: in memory, if there is room. */
function fastDirectory(): string {
  if (!existsSync(SHARED_MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(SHARED_MEMORY);
  return bavail * bsize > ROOM_BYTES ? SHARED_MEMORY : tmpdir();
}

function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

function laySite(siteDir: string, server: Mariadb, mark: string): void {
  const put = (path: string, text: string): void => {
    mkdirSync(join(siteDir, path, ".."), { recursive: true });
    writeFileSync(join(siteDir, path), text);
  };
  put("wp-settings.php", "");
  put(
    "wp-config.php",
    `<?php // ${mark}
define('DB_NAME', 'shop'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'se\\'cret');
define('DB_HOST', 'localhost:${server.socketPath}'); $table_prefix = 'wp_';`,
  );
  put("wp-content/index.php", mark);
  put("wp-content/plugins/shop/shop.php", mark);
  put("wp-content/uploads/2026/a.txt", mark);
  put(`wp-content/uploads/${mark.slice(0, 4)}.txt`, mark);
}

async function fillDatabase(server: Mariadb, mark: string, extraTable: string): Promise<void> {
  await server.exec(`DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; USE shop;
    CREATE TABLE wp_options (option_id INT PRIMARY KEY, option_name VARCHAR(99), option_value LONGTEXT) ENGINE=InnoDB;
    INSERT INTO wp_options VALUES (1, 'mark', '${mark}'), (2, 'home', 'http://${mark === THEN ? "then" : "old"}.example');
    CREATE TABLE wp_posts (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB;
    INSERT INTO wp_posts SELECT seq, CONCAT('${mark}', REPEAT('x', 3000)) FROM seq_1_to_500;
    CREATE TABLE ${extraTable} (id INT) ENGINE=InnoDB;
    CREATE DEFINER=wp@localhost VIEW wp_view AS SELECT '${mark}' AS m;
    CREATE DEFINER=wp@localhost EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO DELETE FROM wp_posts WHERE id < 0;
    CREATE DEFINER=wp@localhost PROCEDURE always() SELECT '${mark}';
    ${mark === THEN ? "CREATE DEFINER=wp@localhost PROCEDURE only_then() SELECT 1; CREATE TABLE unprefixed (id INT) ENGINE=InnoDB; CREATE DEFINER=wp@localhost TRIGGER holds BEFORE UPDATE ON wp_options FOR EACH ROW DO GET_LOCK('holds', 60);" : ""}
    CREATE DEFINER=wp@localhost TRIGGER tr BEFORE INSERT ON wp_posts FOR EACH ROW SET NEW.v = '${mark}';`);
}

function describeTree(path: string, name = ""): string[] {
  const stat = lstatSync(path);
  const mode = (stat.mode & 0o7777).toString(8);
  if (stat.isSymbolicLink()) return [`${name} -> ${readlinkSync(path)}`];
  if (stat.isFile()) return [`${name} ${mode} ${readFileSync(path, "utf8")}`];
  return [
    `${name}/ ${mode}`,
    ...readdirSync(path)
      .sort()
      .flatMap((child) => describeTree(join(path, child), `${name}/${child}`)),
  ];
}

/** Copies what is asked for out of the backup's directory. */
export function directorySource(backupDir: string): RestoreSource {
  return {
    name: "a directory",
    siteId: SITE_ID,
    measure: async () => ({ files: 5, filesBytes: 500, dbBytes: 5000, sample: ["wp-content/index.php"] }),
    async extract(into, { only, paths }) {
      const wanted = [
        ...(only.includes("files") ? ["wp-content"] : []),
        ...(only.includes("config") ? ["wp-config.php"] : []),
        ...(only.includes("db") ? ["database.sql"] : []),
        ...paths,
      ];
      for (const name of wanted) copy(join(backupDir, name), join(into, name));
      const dbPath = join(into, "database.sql");
      const hasDb = only.includes("db");
      return {
        files: 5,
        filesBytes: 500,
        dbBytes: hasDb ? statSync(dbPath).size : 0,
        ...(hasDb ? { dbPath } : {}),
        bytesDownloaded: 1,
        requests: 1,
      };
    },
  };
}

export async function restoreDeps(stateDir: string): Promise<RestoreDeps> {
  const state = await openStateDir(stateDir);
  const log = humanLog(openTerminal(new PassThrough().resume()), "error", () => new Date());
  return {
    store: await openRestoreStore(state.restoresDir),
    tree: openSiteTree(),
    siteEnvFile: (id) => state.siteEnvFile(id),
    signal: new AbortController().signal,
    now: () => new Date(),
    log,
    enter: () => undefined,
  };
}

/** As a daemon with that clock would have it. */
export async function keeperOf(stateDir: string, clock: Clock = systemClock): Promise<RestoreKeeper> {
  const { log } = await restoreDeps(stateDir);
  return keepRestores({ state: await openStateDir(stateDir), clock, log });
}

/** The next start of a daemon. */
export async function recoverRestores(stateDir: string): Promise<void> {
  await (await keeperOf(stateDir)).sweep(new AbortController().signal);
}

export function requestFor(
  rig: Pick<SiteRig, "siteDir">,
  changes: Partial<RestoreRequest> = {},
): RestoreRequest {
  const site = { id: SITE_ID, name: "shop", path: rig.siteDir, exclude: [] };
  return { site, paths: [], dryRun: false, ...changes };
}
