// The WordPress sites that are out there: each variant is a real site, backed up by the real runner and unpacked by
// stock tar, because what a parser's unit test believes about a config is not yet a backup.
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { runProgram } from "#local/run-program.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";

let fleet: Fleet;
let pristine: string;
let siteDir: string;
let config: string;

beforeAll(async () => {
  fleet = await startFleet();
  siteDir = fleet.demo.siteDir;
  pristine = join(fleet.dir, "pristine");
  await runProgram("cp", ["-a", siteDir, pristine]);
  config = await readFile(join(siteDir, "wp-config.php"), "utf8");
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rm(siteDir, { recursive: true, force: true });
  await runProgram("cp", ["-a", pristine, siteDir]);
});

/** The config with one constant defined otherwise; throws when it was not there to change. */
function withDefine(text: string, name: string, expression: string): string {
  const changed = text.replace(
    new RegExp(`define\\(\\s*'${name}',.*\\);`),
    () => `define('${name}', ${expression});`,
  );
  if (changed === text) throw new Error(`wp-config.php does not define ${name}`);
  return changed;
}

async function writeConfig(text: string, path = join(siteDir, "wp-config.php")): Promise<void> {
  await writeFile(path, text);
}

/** Backs the site up and gives the directory that stock tools made of the archive. */
async function backUpAndUnpack(): Promise<string> {
  const run = await fleet.backupd("run-once", "--site", fleet.siteId, "--json");
  expect(run.code, run.stdout + run.stderr).toBe(0);
  const backup = (await fleet.operator.call("listBackups")).items[0];
  const { url } = await fleet.operator.call("downloadBackup", { id: backup?.id ?? "" });
  const dir = join(fleet.dir, `unpacked-${backup?.id}`);
  await mkdir(dir);
  await runProgram("wget", ["--quiet", "-O", "backup.tar.zst", url], { cwd: dir });
  await runProgram("zstd", ["-q", "-d", "backup.tar.zst"], { cwd: dir });
  await runProgram("tar", ["-xf", "backup.tar"], { cwd: dir });
  return dir;
}

async function expectWhole(dir: string, contentDir = join(siteDir, "wp-content")): Promise<void> {
  const excludedDirs = ["cache", "node_modules"];
  expect(await compareTrees(contentDir, join(dir, "wp-content"), { excludedDirs })).toEqual([]);
  const sql = await readFile(join(dir, "database.sql"), "utf8");
  expect(sql).toContain("CREATE TABLE `shop_posts`");
  expect(sql.trimEnd().endsWith("-- Dump completed")).toBe(true);
}

describe("the database's address", () => {
  it("is a socket: DB_HOST = localhost:/path/to.sock", async () => {
    await fleet.demo.mariadb.exec(
      `CREATE OR REPLACE USER 'wordpress'@'localhost' IDENTIFIED BY 'by-socket'; GRANT ALL ON wordpress.* TO 'wordpress'@'localhost'`,
    );
    const socket = withDefine(config, "DB_HOST", `'localhost:${fleet.demo.mariadb.socketPath}'`);
    await writeConfig(withDefine(socket, "DB_PASSWORD", "'by-socket'"));
    await expectWhole(await backUpAndUnpack());
  });

  it("has a port and an IPv6 address that nobody listens on: the error names the host and what to check", async () => {
    await writeConfig(withDefine(config, "DB_HOST", "'[::1]:9'"));
    const run = await fleet.backupd("run-once", "--site", fleet.siteId, "--json");
    expect(run.code).toBe(1);
    const job = (await fleet.operator.call("listJobs")).items[0];
    expect(job).toMatchObject({ state: "failed", error: { code: "db_unreachable" } });
    expect(job?.error?.message).toContain("::1");
    expect(job?.error?.hint).toContain("DB_HOST");
  });
});

describe("the configuration's place and form", () => {
  it("is one level up from WordPress", async () => {
    const above = join(fleet.demo.siteDir, "..", "wp-config.php");
    await rename(join(siteDir, "wp-config.php"), above);
    try {
      const dir = await backUpAndUnpack();
      await expectWhole(dir);
      expect(await readFile(join(dir, "wp-config.php"), "utf8")).toBe(config);
    } finally {
      await rm(above);
    }
  });

  it("takes its secrets from getenv with a .env beside it", async () => {
    const password = await fleet.demo.readDbPassword();
    await writeFile(join(siteDir, ".env"), `DB_PASSWORD="${password}"\nDB_NAME=wordpress\n`);
    const fromEnv = withDefine(config, "DB_PASSWORD", "getenv('DB_PASSWORD') ?: ''");
    await writeConfig(withDefine(fromEnv, "DB_NAME", "$_ENV['DB_NAME'] ?? 'other'"));
    await expectWhole(await backUpAndUnpack());
  });

  it("is Bedrock's: web/wp-config.php, config/application.php, .env and web/app", async () => {
    const password = await fleet.demo.readDbPassword();
    const bedrock = join(fleet.dir, "bedrock");
    await mkdir(join(bedrock, "web"), { recursive: true });
    await mkdir(join(bedrock, "config"));
    await rename(join(siteDir, "wp-content"), join(bedrock, "web", "app"));
    await rename(siteDir, join(bedrock, "web", "wp"));
    await mkdir(siteDir);
    await writeFile(
      join(bedrock, ".env"),
      `DB_NAME='wordpress'\nDB_USER='wordpress'\nDB_PASSWORD='${password}'\nDB_HOST='127.0.0.1:${fleet.demo.db.port}'\nDB_PREFIX='shop_'\n`,
    );
    await writeFile(
      join(bedrock, "web", "wp-config.php"),
      "<?php\nrequire_once dirname(__DIR__) . '/vendor/autoload.php';\nrequire_once dirname(__DIR__) . '/config/application.php';\nrequire_once ABSPATH . 'wp-settings.php';\n",
    );
    await writeFile(
      join(bedrock, "config", "application.php"),
      "<?php\nuse Roots\\WPConfig\\Config;\nuse function Env\\env;\n$root_dir = dirname(__DIR__);\n$webroot_dir = $root_dir . '/web';\nConfig::define('CONTENT_DIR', '/app');\nConfig::define('WP_CONTENT_DIR', $webroot_dir . Config::get('CONTENT_DIR'));\nConfig::define('DB_NAME', env('DB_NAME'));\nConfig::define('DB_USER', env('DB_USER'));\nConfig::define('DB_PASSWORD', env('DB_PASSWORD'));\nConfig::define('DB_HOST', env('DB_HOST') ?: 'localhost');\n$table_prefix = env('DB_PREFIX') ?: 'wp_';\nConfig::apply();\nif (!defined('ABSPATH')) {\n    define('ABSPATH', $webroot_dir . '/wp/');\n}\n",
    );
    await fleet.operator.call("patchSite", { id: fleet.siteId, body: { path: bedrock } });
    try {
      await expectWhole(await backUpAndUnpack(), join(bedrock, "web", "app"));
    } finally {
      await fleet.operator.call("patchSite", { id: fleet.siteId, body: { path: siteDir } });
    }
  });
});

describe("the files", () => {
  it("lie in a moved WP_CONTENT_DIR, reached by a symlink", async () => {
    await rename(join(siteDir, "wp-content"), join(siteDir, "assets-2024"));
    await symlink("assets-2024", join(siteDir, "assets"));
    const moved = config.replace("<?php", "<?php\ndefine('WP_CONTENT_DIR', dirname(__FILE__) . '/assets');");
    await writeConfig(moved);
    await expectWhole(await backUpAndUnpack(), join(siteDir, "assets-2024"));
  });

  it("have every kind of name, links in all directions, and an empty uploads directory", async () => {
    const uploads = join(siteDir, "wp-content", "uploads");
    await rm(uploads, { recursive: true });
    await mkdir(uploads, { mode: 0o775 });
    const odd = join(siteDir, "wp-content", "odd names");
    await mkdir(odd);
    const names = [
      "with space",
      "-rf",
      "ünïcödé 🦊",
      "new\nline",
      "quote'\"$(x)",
      "x".repeat(255),
      ".hidden",
      "tr\u0061iling ",
    ];
    for (const name of names) await writeFile(join(odd, name), `I am ${name.slice(0, 20)}`);
    await writeFile(Buffer.concat([Buffer.from(`${odd}/latin-`), Buffer.from([0xe9, 0xff])]), "not UTF-8");
    await symlink("/etc/passwd", join(odd, "absolute"));
    await symlink("../../../../etc", join(odd, "upwards"));
    await symlink("nowhere", join(odd, "dangling"));
    await runProgram("ln", [join(odd, ".hidden"), join(odd, "hard link")]);
    await runProgram("chmod", ["4751", join(odd, "with space")]);
    await runProgram("chown", ["1234:4321", join(odd, "-rf")]);
    await runProgram("mkfifo", [join(odd, "a fifo")]);

    const dir = await backUpAndUnpack();
    await rm(join(odd, "a fifo"));
    await runProgram("touch", ["-r", join(dir, "wp-content", "odd names"), odd]);
    await expectWhole(dir);
    const links = await runProgram("stat", ["-c", "%h", join(dir, "wp-content", "odd names", "hard link")]);
    expect(links.trim()).toBe("2");
    const backup = (await fleet.operator.call("listBackups")).items[0];
    expect(backup?.warnings).toMatchObject([{ code: "special_file_skipped" }]);
    expect(backup?.warnings[0]?.message).toContain("a fifo");
  });
});
