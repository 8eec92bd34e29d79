// What the stderr of a MySQL/MariaDB client program means to an operator. Error numbers are the protocol's own and
// the same in both families; texts differ between versions and languages.
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";

const CODES: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [1044, "db_privilege_missing"],
  [1045, "db_access_denied"],
  [1049, "db_missing"],
  // The server shuts down, or somebody has ended the query or the connection.
  [1053, "db_unreachable"],
  [1142, "db_privilege_missing"],
  [1143, "db_privilege_missing"],
  [1227, "db_privilege_missing"],
  [1317, "db_unreachable"],
  [1370, "db_privilege_missing"],
  [1698, "db_access_denied"],
  [1927, "db_unreachable"],
  [2002, "db_unreachable"],
  [2003, "db_unreachable"],
  [2005, "db_unreachable"],
  [2006, "db_unreachable"],
  [2013, "db_unreachable"],
]);

/** What a server says of a database that is not there to a user who may not know: a typing error is likelier. */
const NO_RIGHT_TO_DATABASE = 1044;
const NO_RIGHT_HINT =
  "Check DB_NAME in wp-config.php; if it is right, GRANT SELECT, SHOW VIEW, TRIGGER, EVENT on it to the user named there.";

const NUMBER = /(?:error:|ERROR|Error) (\d{4})\b|\((\d{4})\)/g;
const MAX_DETAIL_LENGTH = 600;

/**
 * `ended`: how the program ended, for when it said nothing. Secrets are struck out of what it said. `fallback`: the code
 * of what has none of its own.
 */
export function dbError(
  stderr: string,
  ended: string,
  secrets: readonly string[],
  fallback: ErrorCode = "dump_failed",
): BackupError {
  const said = strikeOut(stderr, secrets)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/using a password on the command line/i.test(line));
  const detail = said.slice(-4).join(" | ").slice(-MAX_DETAIL_LENGTH) || ended;
  const numbers = [...stderr.matchAll(NUMBER)].map((match) => Number(match[1] ?? match[2]));
  const code = numbers.map((number) => CODES.get(number)).find((known) => known !== undefined);
  return new BackupError(code ?? fallback, {
    detail: code === undefined ? `${ended}: ${detail}` : detail,
    ...(code !== undefined && numbers.includes(NO_RIGHT_TO_DATABASE) ? { hint: NO_RIGHT_HINT } : {}),
  });
}

function strikeOut(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== "")
    .reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}
