// Where a site's parts are, on real directories: WordPress' own rules, Bedrock, symlinks, and what a hacked site may try.
import { execFileSync } from "node:child_process";
import { lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSite } from "#runner/io/site.ts";
import type { BackupError } from "#shared/errors.ts";

const isRoot = process.getuid?.() === 0;
const CONFIG = `<?php define('DB_NAME','shop'); define('DB_USER','u'); define('DB_PASSWORD','p'); define('DB_HOST','db:3307'); $table_prefix='wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/'); require_once ABSPATH . 'wp-settings.php';`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "backupd-site-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Files by their path below the test's directory; a name that ends in a slash is a directory. */
function lay(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name);
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(path, text);
  }
}

function failure(path: string): BackupError {
  try {
    readSite({ path });
  } catch (error) {
    return error as BackupError;
  }
  throw new Error("it was read");
}

describe("readSite", () => {
  it("finds a site's config, content and database", () => {
    lay({ "s/wp-config.php": CONFIG, "s/wp-settings.php": "", "s/wp-content/": "" });
    expect(readSite({ path: join(dir, "s") })).toMatchObject({
      configPath: join(dir, "s/wp-config.php"),
      contentDir: join(dir, "s/wp-content"),
      db: { name: "shop", user: "u", password: "p", address: { host: "db", port: 3307 } },
      tablePrefix: "wp_",
      coreDir: join(dir, "s"),
    });
  });

  it("looks one level up, as WordPress does, unless that is another WordPress", () => {
    lay({ "wp-config.php": CONFIG, "s/wp-settings.php": "", "s/wp-content/": "" });
    expect(readSite({ path: join(dir, "s") })).toMatchObject({
      configPath: join(dir, "wp-config.php"),
      contentDir: join(dir, "s/wp-content"),
    });
    lay({ "wp-settings.php": "" });
    expect(failure(join(dir, "s")).code).toBe("wp_config_missing");
  });

  it.each([
    ["absolute", () => `'${dir}/elsewhere'`],
    ["built on ABSPATH", () => "ABSPATH . '../elsewhere'"],
    ["relative", () => "'../elsewhere'"],
  ])("follows a moved content directory: %s", (_, value) => {
    const config = CONFIG.replace("$table", `define('WP_CONTENT_DIR', ${value()}); $table`);
    lay({ "s/wp-config.php": config, "s/wp-settings.php": "", "elsewhere/": "" });
    expect(readSite({ path: join(dir, "s") }).contentDir).toBe(join(dir, "elsewhere"));
  });

  it.each(["", "/web", "/web/wp"])("reads Bedrock, given %s", (below) => {
    lay({
      "b/web/wp-config.php": `<?php require_once dirname(__DIR__) . '/vendor/autoload.php'; require_once dirname(__DIR__) . '/config/application.php'; require_once ABSPATH . 'wp-settings.php';`,
      "b/web/wp/wp-settings.php": "",
      "b/web/app/": "",
      "b/config/application.php": `<?php $root = dirname(__DIR__); Config::define('WP_CONTENT_DIR', $root . '/web/app');
        Config::define('DB_NAME', env('DB_NAME')); Config::define('DB_USER', env('DB_USER')); Config::define('DB_PASSWORD', env('DB_PASSWORD'));
        Config::define('DB_HOST', env('DB_HOST') ?: 'localhost'); if (!defined('ABSPATH')) { define('ABSPATH', $root . '/web/wp/'); }`,
      "b/.env": `DB_NAME='bed'\nDB_USER="u"\nDB_PASSWORD='a#b"c'\n`,
    });
    expect(readSite({ path: join(dir, `b${below}`) })).toMatchObject({
      contentDir: join(dir, "b/web/app"),
      db: { name: "bed", user: "u", password: 'a#b"c', address: { host: "localhost" } },
    });
  });

  it("lets the operator's own file have the last word", () => {
    lay({
      "s/wp-config.php": CONFIG.replace("'p'", "fetch_secret()"),
      "s/wp-settings.php": "",
      "s/wp-content/": "",
      "own.env": "DB_PASSWORD=told\nDB_HOST=other",
    });
    expect(failure(join(dir, "s"))).toMatchObject({
      code: "wp_config_unreadable",
      message: expect.stringContaining("DB_PASSWORD"),
    });
    expect(readSite({ path: join(dir, "s"), siteEnvFile: join(dir, "own.env") }).db).toMatchObject({
      password: "told",
      address: { host: "other" },
    });
  });

  it("follows symlinks of deployments: the site, its config and its content", () => {
    lay({ "shared/wp-config.php": CONFIG, "shared/content/": "", "releases/7/wp-settings.php": "" });
    symlinkSync(join(dir, "releases/7"), join(dir, "current"));
    symlinkSync("../../shared/wp-config.php", join(dir, "releases/7/wp-config.php"));
    symlinkSync("../../shared/content", join(dir, "releases/7/wp-content"));
    expect(readSite({ path: join(dir, "current") })).toMatchObject({
      configPath: join(dir, "shared/wp-config.php"),
      contentDir: join(dir, "shared/content"),
    });
  });
});

describe("what is wrong with a site", () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ["no directory", {}, "site_path_missing"],
    ["a file in its place", { s: "" }, "site_path_missing"],
    ["no config", { "s/wp-settings.php": "" }, "wp_config_missing"],
    ["no content", { "s/wp-config.php": CONFIG, "s/wp-settings.php": "" }, "wp_content_missing"],
    [
      "a file for content",
      { "s/wp-config.php": CONFIG, "s/wp-settings.php": "", "s/wp-content": "" },
      "wp_content_missing",
    ],
    ["a directory for a config", { "s/wp-config.php/": "" }, "site_unreadable"],
    ["a config over 1 MiB", { "s/wp-config.php": `<?php ${" ".repeat(1_048_576)}` }, "site_unreadable"],
    ["an empty config", { "s/wp-config.php": "", "s/wp-content/": "" }, "wp_config_unreadable"],
    [
      "a host that is none",
      { "s/wp-config.php": CONFIG.replace("db:3307", "db:x:y"), "s/wp-content/": "" },
      "wp_config_unreadable",
    ],
  ])("%s", (_, files, code) => {
    lay(files);
    expect(failure(join(dir, "s")).code).toBe(code);
  });

  it("does not wait for a pipe in the config's place", () => {
    lay({ "s/": "" });
    execFileSync("mkfifo", [join(dir, "s/wp-config.php")]);
    expect(failure(join(dir, "s")).code).toBe("site_unreadable");
  });
});

describe.runIf(isRoot)("a hacked site that points root elsewhere", () => {
  const HACKER = 1234;

  it("cannot make its config a symlink to another user's file", () => {
    lay({ "s/wp-settings.php": "", "s/wp-content/": "", "other/secret.php": CONFIG });
    symlinkSync(join(dir, "other/secret.php"), join(dir, "s/wp-config.php"));
    lchownSync(join(dir, "s/wp-config.php"), HACKER, HACKER);
    expect(failure(join(dir, "s"))).toMatchObject({
      code: "site_unreadable",
      hint: expect.stringContaining("chown -h root"),
    });
  });

  it("cannot make another user's directory its content, by symlink or by config", () => {
    lay({ "s/wp-config.php": CONFIG, "s/wp-settings.php": "", "other/home/": "" });
    symlinkSync(join(dir, "other/home"), join(dir, "s/wp-content"));
    lchownSync(join(dir, "s/wp-content"), HACKER, HACKER);
    expect(failure(join(dir, "s")).code).toBe("site_unreadable");
    rmSync(join(dir, "s/wp-content"));
    lay({
      "s/wp-config.php": CONFIG.replace("$table", `define('WP_CONTENT_DIR', '${dir}/other/home'); $table`),
    });
    lchownSync(join(dir, "s/wp-config.php"), HACKER, HACKER);
    expect(failure(join(dir, "s")).code).toBe("site_unreadable");
    lchownSync(join(dir, "other/home"), HACKER, HACKER);
    expect(readSite({ path: join(dir, "s") }).contentDir).toBe(join(dir, "other/home"));
  });

  it("cannot have another site's config read by include", () => {
    lay({
      "other/wp-config.php": CONFIG,
      "s/wp-config.php": `<?php include '${dir}/other/wp-config.php';`,
      "s/wp-settings.php": "",
      "s/wp-content/": "",
    });
    lchownSync(join(dir, "s/wp-config.php"), HACKER, HACKER);
    expect(failure(join(dir, "s")).code).toBe("wp_config_unreadable");
    lchownSync(join(dir, "other/wp-config.php"), HACKER, HACKER);
    expect(readSite({ path: join(dir, "s") }).db.name).toBe("shop");
  });

  it("cannot reach further than beside its own directory, whoever owns what is there", () => {
    lay({
      "far/db.php": CONFIG,
      "x/y/s/wp-config.php": `<?php include '${dir}/far/db.php';`,
      "x/y/s/wp-content/": "",
    });
    expect(failure(join(dir, "x/y/s")).code).toBe("wp_config_unreadable");
  });

  it("cannot lead to another user's directory by a symlink in the middle", () => {
    lay({
      "s/wp-config.php": CONFIG.replace("$table", "define('WP_CONTENT_DIR', ABSPATH . 'x/home'); $table"),
      "s/wp-settings.php": "",
      "other/home/": "",
    });
    symlinkSync(join(dir, "other"), join(dir, "s/x"));
    for (const path of ["s/x", "s/wp-config.php"]) lchownSync(join(dir, path), HACKER, HACKER);
    expect(failure(join(dir, "s")).code).toBe("site_unreadable");
  });
});
