// Restores an archive with stock tools into an empty site beside the demo site and compares the two: what
// `npm start -- --exit` answers `"restored": true` on.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { compareTrees } from "./compare-trees.ts";
import type { DemoSite } from "./demo/demo-site.ts";
import type { Mariadb } from "./demo/mariadb.ts";
import { runProgram } from "./run-program.ts";
import { restoreWithStockTools } from "./stock-restore.ts";

const EXCLUDED_DIRS = ["cache", "node_modules"];
const SCRATCH_DATABASE = "backupd_restore_check";

/** What differs between the demo site and the archive behind `url`; empty when nothing does. Cleans up after itself. */
export async function findRestoreDifferences(url: string, demo: DemoSite): Promise<string[]> {
  const password = await demo.readDbPassword();
  if (password === undefined) return ["the demo site has no wp-config.php to compare with"];
  const workDir = await mkdtemp(join(tmpdir(), "backupd-restore-"));
  const restoredDir = join(workDir, "site");
  try {
    await createScratchDatabase(demo);
    await mkdir(join(workDir, "download"));
    await restoreWithStockTools(url, join(workDir, "download"), {
      siteDir: restoredDir,
      database: { ...demo.db, password, name: SCRATCH_DATABASE },
    });
    return [
      ...(await compareFiles(demo.siteDir, restoredDir)),
      ...(await compareDatabases(demo.mariadb, demo.db.name, SCRATCH_DATABASE, workDir)),
    ];
  } finally {
    await demo.mariadb.exec(`DROP DATABASE IF EXISTS ${SCRATCH_DATABASE}`);
    await rm(workDir, { recursive: true, force: true });
  }
}

async function createScratchDatabase(demo: DemoSite): Promise<void> {
  await demo.mariadb.exec(
    `DROP DATABASE IF EXISTS ${SCRATCH_DATABASE}; CREATE DATABASE ${SCRATCH_DATABASE};
     GRANT ALL ON ${SCRATCH_DATABASE}.* TO '${demo.db.user}'@'127.0.0.1'`,
  );
}

async function compareFiles(siteDir: string, restoredDir: string): Promise<string[]> {
  const content = await compareTrees(join(siteDir, "wp-content"), join(restoredDir, "wp-content"), {
    excludedDirs: EXCLUDED_DIRS,
  });
  const [config, restoredConfig] = await Promise.all(
    [siteDir, restoredDir].map((dir) => readFile(join(dir, "wp-config.php"))),
  );
  const sameConfig = config !== undefined && restoredConfig?.equals(config) === true;
  return [...content.map((line) => `wp-content: ${line}`), ...(sameConfig ? [] : ["wp-config.php differs"])];
}

/** Two dumps without comments (they name the database) are equal when schema, rows and their order are. */
async function compareDatabases(
  server: Mariadb,
  left: string,
  right: string,
  workDir: string,
): Promise<string[]> {
  const hashes = [];
  for (const name of [left, right]) {
    const file = join(workDir, `${name}.sql`);
    await dumpForComparison(server, name, file);
    hashes.push(await sha256(file));
  }
  return hashes[0] === hashes[1] ? [] : [`database: the dumps of ${left} and ${right} differ`];
}

export async function dumpForComparison(server: Mariadb, database: string, file: string): Promise<void> {
  await runProgram(
    "mysqldump",
    [
      "--no-defaults",
      `--socket=${server.socketPath}`,
      `--user=${server.adminUser}`,
      "--single-transaction",
      "--hex-blob",
      "--routines",
      "--triggers",
      "--events",
      "--skip-comments",
      database,
    ],
    { stdoutFile: file },
  );
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
