// Installs a real WordPress with real content, headless: its own installer over HTTP, then our seed script.
import { randomBytes } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startOwnProcess } from "../own-process.ts";
import { copyWordpress } from "./copy-wordpress.ts";
import { findProgram } from "./find-program.ts";
import type { Mariadb } from "./mariadb.ts";
import { PHP_SETTINGS } from "./php-server.ts";
import { type DatabaseAccess, renderWpConfig, SALT_NAMES } from "./wp-config.ts";

/** Makes the database and its account where they are missing; what is in the database stays. */
export async function ensureDatabase(
  mariadb: Mariadb,
  name: string,
  user: string,
  password: string,
): Promise<void> {
  const sql = [`CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4;`];
  // By TCP one comes from 127.0.0.1, by the socket from localhost; to MariaDB these are two accounts.
  for (const host of ["127.0.0.1", "localhost"]) {
    const account = `'${user}'@'${host}'`;
    sql.push(
      `CREATE USER IF NOT EXISTS ${account};`,
      `ALTER USER ${account} IDENTIFIED BY '${password.replaceAll(/[\\']/g, "\\$&")}';`,
      `GRANT ALL PRIVILEGES ON \`${name}\`.* TO ${account};`,
    );
  }
  await mariadb.exec(sql.join("\n"));
}

/** Puts WordPress' files, our plugin and a wp-config.php with fresh secrets into `siteDir`. */
export async function placeWordpress(siteDir: string, db: DatabaseAccess, sitePort: number): Promise<void> {
  await copyWordpress(siteDir);
  const plugin = join(siteDir, "wp-content", "plugins", "demo-shop");
  await cp(join(import.meta.dirname, "demo-shop"), plugin, { recursive: true });
  await mkdir(join(siteDir, "wp-content", "uploads"), { recursive: true });
  const salts = SALT_NAMES.map(() => randomBytes(48).toString("base64"));
  await writeFile(join(siteDir, "wp-config.php"), renderWpConfig({ db, sitePort, salts }), { mode: 0o640 });
}

/** Runs WordPress' installer, which must be served at `siteUrl` already. Nobody learns the admin's password. */
export async function runInstaller(siteUrl: string, title: string): Promise<void> {
  const password = randomBytes(24).toString("base64url");
  const response = await fetch(`${siteUrl}/wp-admin/install.php?step=2`, {
    method: "POST",
    body: new URLSearchParams({
      weblog_title: title,
      user_name: "admin",
      admin_password: password,
      admin_password2: password,
      admin_email: "admin@example.com",
      language: "",
      Submit: "Install WordPress",
    }),
    signal: AbortSignal.timeout(60_000),
  });
  const page = await response.text();
  if (response.ok && page.includes("wp-login.php")) return;
  const words = page.replaceAll(/<[^>]*>|\s+/g, " ").trim();
  throw new Error(`WordPress' installer did not succeed (${response.status}): ${words.slice(0, 500)}`);
}

export interface SeedOptions {
  /** The same number gives the same content. */
  readonly seed: number;
  /** How many files of 1 to 60 KB to add under uploads/extra. */
  readonly extraFiles: number;
}

export interface SeededContent {
  readonly postPath: string;
  readonly imagePath: string;
}

/**
 * Recorded in `runDir` like the servers, so that one whose starter was killed is found and ended: it would go on
 * writing into the site made after it.
 */
export async function seedContent(
  siteDir: string,
  runDir: string,
  options: SeedOptions,
): Promise<SeededContent> {
  const script = join(import.meta.dirname, "seed.php");
  const answerFile = join(runDir, "seed.answer.json");
  const seeding = await startOwnProcess({
    name: "The seeding",
    command: await findProgram("php"),
    args: [...PHP_SETTINGS, script, siteDir, String(options.seed), String(options.extraFiles), answerFile],
    endSignal: "SIGTERM",
    logFile: join(runDir, "seed.log"),
    recordFile: seedRecordFile(runDir),
  });
  const exitCode = await seeding.exitCode;
  await seeding.end();
  if (exitCode !== 0) {
    const log = await readFile(seeding.logFile);
    const words = log.subarray(seeding.logStart).toString().slice(-1500);
    throw new Error(`The seeding failed (${exitCode ?? "killed"}): ${words}`);
  }
  const answer = await readFile(answerFile, "utf8");
  await rm(answerFile);
  return JSON.parse(answer) as SeededContent;
}

export const seedRecordFile = (runDir: string): string => join(runDir, "seed.process.json");
