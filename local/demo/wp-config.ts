// The demo site's wp-config.php as text: rendered once, re-pointed when ports change, and the only place that
// knows the database password, as on any WordPress site.
export interface DatabaseAccess {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string;
}

export interface WpConfig {
  readonly db: DatabaseAccess;
  readonly sitePort: number;
  /** Eight secrets, for the keys and salts in the order of SALT_NAMES. */
  readonly salts: readonly string[];
}

export const SALT_NAMES: readonly string[] = [
  "AUTH_KEY",
  "SECURE_AUTH_KEY",
  "LOGGED_IN_KEY",
  "NONCE_KEY",
  "AUTH_SALT",
  "SECURE_AUTH_SALT",
  "LOGGED_IN_SALT",
  "NONCE_SALT",
];
export const TABLE_PREFIX = "shop_";

export function renderWpConfig({ db, sitePort, salts }: WpConfig): string {
  const saltLines = SALT_NAMES.map((name, index) => define(name, salts[index] ?? ""));
  return `<?php
/** WordPress configuration of the Backupd demo site. */

${define("DB_NAME", db.name)}
${define("DB_USER", db.user)}
${define("DB_PASSWORD", db.password)}
${define("DB_HOST", `${db.host}:${db.port}`)}
${define("DB_CHARSET", "utf8mb4")}
${define("DB_COLLATE", "")}

${saltLines.join("\n")}

$table_prefix = '${TABLE_PREFIX}';

// The address follows from the port alone, so that a copy of the site can be served on another one.
define( 'DEMO_SITE_PORT', ${sitePort} );
define( 'WP_HOME', 'http://127.0.0.1:' . DEMO_SITE_PORT );
define( 'WP_SITEURL', WP_HOME );

// A demo calls nobody: no updates, no remote requests, no background jobs on page views.
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_AUTO_UPDATE_CORE', false );
define( 'DISABLE_WP_CRON', true );
define( 'WP_DEBUG', false );

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
`;
}

export interface DemoPorts {
  readonly mariadbPort: number;
  readonly sitePort: number;
}

/** The same configuration for other ports; whatever else somebody changed in it stays. */
export function repointWpConfig(text: string, { mariadbPort, sitePort }: DemoPorts): string {
  return text
    .replace(/(define\(\s*'DB_HOST',\s*'127\.0\.0\.1:)\d+/, `$1${mariadbPort}`)
    .replace(/(define\(\s*'DEMO_SITE_PORT',\s*)\d+/, `$1${sitePort}`);
}

/** The password in it; undefined when there is none to be found. */
export function findDbPassword(text: string): string | undefined {
  const quoted = /define\(\s*'DB_PASSWORD',\s*'((?:[^'\\]|\\.)*)'/.exec(text)?.[1];
  return quoted?.replaceAll(/\\(['\\])/g, "$1");
}

const define = (name: string, value: string): string => `define( '${name}', '${quote(value)}' );`;
const quote = (value: string): string => value.replaceAll(/[\\']/g, "\\$&");
