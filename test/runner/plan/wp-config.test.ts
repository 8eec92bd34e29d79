// What a wp-config.php says, worked out without running it: the ways real ones are written, and hostile ones.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseWpConfig, type WpConfig } from "#runner/plan/wp-config.ts";
import type { BackupError } from "#shared/errors.ts";

const FILE = "/srv/site/wp-config.php";
const PLAIN = `define('DB_NAME', 'shop'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p'); define('DB_HOST', 'h');`;

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly abspath?: string;
  readonly files?: Readonly<Record<string, string>>;
}

function parse(php: string, { env = {}, files = {}, ...rest }: Given = {}): WpConfig {
  return parseWpConfig(`<?php\n${php}`, { file: FILE, env, include: (path) => files[path], ...rest });
}

function failure(php: string, given?: Given): BackupError {
  try {
    parse(php, given);
  } catch (error) {
    return error as BackupError;
  }
  throw new Error("it was read");
}

/** The value of an expression, as DB_NAME. */
function nameFrom(expression: string, given?: Given): string {
  return parse(`${PLAIN.replace("'shop'", expression)}`, given).db.name;
}

describe("parseWpConfig", () => {
  it("reads the sample configuration's way of writing", () => {
    const config = parse(`
      /** The name of the database */
      define( 'DB_NAME', "shop" ); define('DB_USER', 'user'); define('DB_PASSWORD', 'it\\'s # "q" \\\\');
      define('DB_HOST', 'localhost:/run/my.sock'); define('DB_CHARSET', 'utf8mb4'); $table_prefix = 'wp_';
      if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
      require_once ABSPATH . 'wp-settings.php';`);
    expect(config).toMatchObject({
      db: {
        name: "shop",
        user: "user",
        password: `it's # "q" \\`,
        host: "localhost:/run/my.sock",
        charset: "utf8mb4",
      },
      tablePrefix: "wp_",
      abspath: "/srv/site/",
    });
  });

  it.each([
    ["concatenation", "'a' . 'b' . 1", "ab1"],
    ["dirname of the file", "dirname(__FILE__)", "/srv/site"],
    ["dirname of the directory", "dirname(__DIR__, 1)", "/srv"],
    ["a short ternary", "getenv('NOPE') ?: 'x'", "x"],
    ["null coalescing", "$_ENV['NOPE'] ?? 'x'", "x"],
    ["an isset ternary", "isset($_SERVER['NOPE']) ? 'a' : 'b'", "b"],
    ["getenv", "getenv('NAME')", "from-env"],
    ["$_SERVER", "$_SERVER['NAME']", "from-env"],
    ["Bedrock's env()", "Env\\env('NAME')", "from-env"],
    ["Docker's helper", "getenv_docker('WORDPRESS_DB_NAME', 'wordpress')", "wordpress"],
    ["a cast", "(string) 12", "12"],
    ["a comparison", "getenv('NAME') === 'from-env' ? 'same' : 'other'", "same"],
    ["a URL's parts", "substr(parse_url('mysql://u:p@h:3307/dbx')['path'], 1)", "dbx"],
    ["a nowdoc", "<<<'X'\nplain\nX\n", "plain"],
  ])("understands %s", (_, expression, value) => {
    expect(nameFrom(expression, { env: { NAME: "from-env" } })).toBe(value);
  });

  it("follows variables, constants and interpolation", () => {
    expect(
      parse(
        `const BASE = 'shop'; $site = BASE . '_live'; $env['x'] = 1; define('DB_NAME', "{$site}_$site");
        define('DB_USER', BASE); define('DB_PASSWORD', ''); define('WP_CONTENT_DIR', ABSPATH . 'app');`,
        {
          abspath: "/srv/site/",
        },
      ),
    ).toMatchObject({
      db: { name: "shop_live_shop_live", user: "shop", password: "", host: "localhost" },
      contentDir: "/srv/site/app",
    });
  });

  it("keeps the first definition, as PHP does", () => {
    expect(nameFrom(`'first'); define('DB_NAME', 'second'`)).toBe("first");
    expect(
      parse(
        `defined('DB_NAME') || define('DB_NAME', 'x'); defined('DB_NAME') or define('DB_NAME', 'y'); ${PLAIN}`,
      ).db.name,
    ).toBe("x");
  });

  it("reads Bedrock: Config::define, .env and an included file", () => {
    const application = `<?php
      use Roots\\WPConfig\\Config; use function Env\\env;
      $root_dir = dirname(__DIR__); $webroot_dir = $root_dir . '/web';
      define('WP_ENV', env('WP_ENV') ?: 'production');
      Config::define('CONTENT_DIR', '/app'); Config::define('WP_CONTENT_DIR', $webroot_dir . Config::get('CONTENT_DIR'));
      if (env('DB_SSL')) { Config::define('MYSQL_CLIENT_FLAGS', MYSQLI_CLIENT_SSL); }
      Config::define('DB_NAME', env('DB_NAME')); Config::define('DB_USER', env('DB_USER'));
      Config::define('DB_PASSWORD', env('DB_PASSWORD')); Config::define('DB_HOST', env('DB_HOST') ?: 'localhost');
      $table_prefix = env('DB_PREFIX') ?: 'wp_';
      if (env('DATABASE_URL')) {
        $dsn = (object) parse_url(env('DATABASE_URL'));
        Config::define('DB_NAME', substr($dsn->path, 1)); Config::define('DB_USER', $dsn->user);
        Config::define('DB_PASSWORD', isset($dsn->pass) ? $dsn->pass : null);
        Config::define('DB_HOST', isset($dsn->port) ? "{$dsn->host}:{$dsn->port}" : $dsn->host);
      }
      $env_config = __DIR__ . '/environments/' . WP_ENV . '.php';
      if (file_exists($env_config)) { require_once $env_config; }
      Config::apply();`;
    const given = (env: Record<string, string>): Given => ({
      env,
      files: { "/srv/config/application.php": application },
    });
    const entry = `require_once dirname(__DIR__) . '/vendor/autoload.php'; require_once dirname(__DIR__) . '/config/application.php'; require_once ABSPATH . 'wp-settings.php';`;
    const plain = parse(entry, given({ DB_NAME: "bed", DB_USER: "u", DB_PASSWORD: "p" }));
    expect(plain).toMatchObject({
      db: { name: "bed", user: "u", password: "p", host: "localhost" },
      tablePrefix: "wp_",
      contentDir: "/srv/web/app",
    });
    const url = parse(
      entry,
      given({
        DATABASE_URL: "mysql://u2:p2@db.example:3307/bed2",
        DB_NAME: "x",
        DB_USER: "x",
        DB_PASSWORD: "x",
      }),
    );
    expect(url.db).toEqual({ name: "bed2", user: "u2", password: "p2", host: "db.example:3307" });
  });

  it("refuses to guess between branches that PHP would have to decide", () => {
    const php = PLAIN.replace(
      "define('DB_NAME', 'shop');",
      `if ($_POST['x'] == 'y') { define('DB_NAME', 'a'); } else { define('DB_NAME', 'b'); }`,
    );
    expect(failure(php)).toMatchObject({
      code: "wp_config_unreadable",
      message: expect.stringContaining("DB_NAME: it is set under a condition"),
    });
    // … but takes what all of them agree on, and what the operator says.
    expect(parse(php.replace("'b'", "'a'")).db.name).toBe("a");
    expect(parse(php, { env: { DB_NAME: "told" } }).db.name).toBe("told");
  });

  it.each([
    ["a missing constant", "define('DB_USER','u');", "DB_NAME: it is not defined"],
    ["an unknown variable", PLAIN.replace("'shop'", "getenv('SECRET_DB')"), "SECRET_DB"],
    ["a function call", PLAIN.replace("'p'", "decrypt('x')"), "DB_PASSWORD: it needs the function decrypt()"],
    [
      "a moved content directory it cannot know",
      `${PLAIN} define('WP_CONTENT_DIR', where());`,
      "WP_CONTENT_DIR: it needs",
    ],
    ["a syntax error", `${PLAIN}\n$x = = 3;`, "on line 3"],
  ])("says why: %s", (_, php, message) => {
    const error = failure(php);
    expect(error.code).toBe("wp_config_unreadable");
    expect(error.message).toContain(message);
  });

  it("does not quote the source in an error: it may be the password", () => {
    expect(failure(`define('DB_PASSWORD', 'hunter2'hunter2);`).message).not.toContain("hunter2");
  });

  it.each([
    ["parentheses", `$a=${"(".repeat(60_000)}1${")".repeat(60_000)};`],
    ["blocks", `${"if($a){".repeat(20_000)}${"}".repeat(20_000)}`],
    ["a sum", `$a=${"'a'.".repeat(50_000)}'a';`],
    ["a name of many parts", `$a=${"\\A".repeat(120_000)};`],
    ["many undecided branches", `${"if($a){$b='x';}".repeat(15_000)}`],
    ["doubling strings", `$a='xxxxxxxxxxxxxxxx';${"$a.=$a;".repeat(20_000)}`],
    ["an include of itself", `include __FILE__;`],
    ["binary", String.fromCharCode(...Array.from({ length: 50_000 }, (_, i) => (i * 7919) % 256))],
    ["size", "/*x*/".repeat(100_000)],
  ])("is quick and clear about hostile input: %s", (_, php) => {
    const started = performance.now();
    const error = failure(php, { files: { [FILE]: `<?php ${php}` } });
    expect(error.code).toBe("wp_config_unreadable");
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("never lets anything but a BackupError out, whatever the file holds", () => {
    const token = fc.constantFrom(
      "define('DB_NAME',",
      "'x'",
      ")",
      ";",
      "$a",
      ".",
      "?",
      ":",
      "??",
      "{",
      "}",
      "if(",
      "[",
      "]",
      "=",
      "env(",
      "\\",
      '"',
      "<<<A\n",
      "->b",
      "::c",
      "use",
      "(object)",
      "!",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        expect(failure(tokens.join(" ")).code).toBe("wp_config_unreadable");
      }),
    );
  });
});
