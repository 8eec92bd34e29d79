// The restore procedure that is promised to work for ever: wget, zstd, tar, mysql and rsync, nothing of ours.
// `npm start` prints these lines for the operator; the drill and `npm start -- --exit` run the same ones.
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

export interface RestoreTarget {
  /** Directory of the site to fill: gets wp-config.php and wp-content/. */
  readonly siteDir: string;
  readonly database: { host: string; port: number; user: string; password: string; name: string };
}

/** The five steps as an operator types them. `url` is a presigned URL: show it to the operator only. */
export function stockRestoreLines(
  url: string,
  target: { siteDir: string; user: string; database: string },
): string[] {
  return [
    `wget -O backup.tar.zst "${url}"`,
    "zstd -d backup.tar.zst",
    "tar -xf backup.tar",
    `mysql -u ${target.user} -p ${target.database} < database.sql`,
    `rsync -av wp-content/ ${target.siteDir}/wp-content/`,
  ];
}

/** Runs the five steps in `workDir` (empty, private); the database must exist and be empty. */
export async function restoreWithStockTools(
  url: string,
  workDir: string,
  target: RestoreTarget,
): Promise<void> {
  const { database, siteDir } = target;
  await runProgram("wget", ["--quiet", "-O", "backup.tar.zst", url], { cwd: workDir });
  await runProgram("zstd", ["-q", "-d", "backup.tar.zst"], { cwd: workDir });
  await runProgram("tar", ["-xf", "backup.tar"], { cwd: workDir });
  // -p would ask on the terminal; MYSQL_PWD answers without putting the password on a command line.
  await runProgram(
    "mysql",
    ["--no-defaults", "-h", database.host, "-P", String(database.port), "-u", database.user, database.name],
    { cwd: workDir, stdinFile: join(workDir, "database.sql"), env: { MYSQL_PWD: database.password } },
  );
  await mkdir(siteDir, { recursive: true });
  await runProgram("rsync", ["-a", "wp-content/", `${siteDir}/wp-content/`], { cwd: workDir });
  await copyFile(join(workDir, "wp-config.php"), join(siteDir, "wp-config.php"));
}
