// The wp-config.php with which a restored WordPress is tried. The site's own is not run: it names the real database, and in
// Bedrock and its like it loads code that no backup has. Its constants are known from its syntax tree; those that lead
// anywhere outside the cage are replaced. Pure.
import { type PhpScalar, phpLiteral } from "./php-literal.ts";

export interface BootConfig {
  /** Of the site's own wp-config.php. */
  readonly constants: ReadonlyMap<string, PhpScalar>;
  readonly tablePrefix: string;
  readonly db: { readonly name: string; readonly user: string; readonly socketPath: string };
  /** Where the cage has the site. */
  readonly root: string;
  readonly isHttps: boolean;
  /** For the keys and salts, which must not be the site's. */
  readonly secret: string;
}

const SECRETS = /(?:_KEY|_SALT)$/;
/** Where things lie and whom to talk to: in the cage it is elsewhere, and nobody. */
const REPLACED =
  /^(?:DB_|MYSQL_|ABSPATH$|WP_CONTENT_DIR$|WP_PLUGIN_DIR$|WPMU_PLUGIN_DIR$|WP_LANG_DIR$|WP_TEMP_DIR$|UPLOADS$|WP_DEBUG|WP_CACHE$|WPCACHEHOME$|FTP_|FS_METHOD$|SMTP_|CUSTOM_USER)/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function renderBootConfig({ constants, tablePrefix, db, root, isHttps, secret }: BootConfig): string {
  const set: Record<string, PhpScalar> = {
    DB_NAME: db.name,
    DB_USER: db.user,
    DB_PASSWORD: "",
    DB_HOST: `localhost:${db.socketPath}`,
    DB_CHARSET: "utf8mb4",
    DB_COLLATE: "",
    ABSPATH: `${root}/`,
    WP_CONTENT_DIR: `${root}/wp-content`,
    WP_TEMP_DIR: "/tmp",
    WP_CACHE: false,
    WP_DEBUG: false,
    DISABLE_WP_CRON: true,
    WP_HTTP_BLOCK_EXTERNAL: true,
    AUTOMATIC_UPDATER_DISABLED: true,
    DISALLOW_FILE_MODS: true,
    // What went wrong is wanted, not a mail about it.
    WP_DISABLE_FATAL_ERROR_HANDLER: true,
  };
  for (const name of KEYS) set[name] = secret;
  for (const [name, value] of constants) {
    if (NAME.test(name) && !REPLACED.test(name) && !SECRETS.test(name)) set[name] ??= value;
  }
  return [
    "<?php",
    ...(isHttps ? ["$_SERVER['HTTPS'] = 'on';"] : []),
    ...Object.entries(set).map(([name, value]) => `define(${phpLiteral(name)}, ${phpLiteral(value)});`),
    `$table_prefix = ${phpLiteral(tablePrefix)};`,
    "require_once ABSPATH . 'wp-settings.php';",
    "",
  ].join("\n");
}

const KEYS = ["AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"].flatMap((name) => [`${name}_KEY`, `${name}_SALT`]);
