// The text of a MySQL/MariaDB option file for one login. Values are quoted, since `#`, spaces and quotes in a password
// would otherwise end or change it ("Using Option Files" in both manuals).
import { BackupError } from "#shared/errors.ts";

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ['"', '\\"'],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\b", "\\b"],
]);

/** The programs read lines into 4,096 bytes; a longer value would be cut without a word. */
const MAX_VALUE_BYTES = 2_000;

function quote(name: string, value: string): string {
  if (value.includes("\0") || Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    throw new BackupError("wp_config_unreadable", {
      detail: `The database's ${name} is too long or has a NUL`,
    });
  }
  return `"${value.replace(/[\\"\n\r\t\b]/g, (char) => ESCAPES.get(char) ?? char)}"`;
}

/** `settings` in the group [client], which every client program reads. */
export function optionFile(settings: Readonly<Record<string, string | number | undefined>>): string {
  const lines = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quote(name, String(value))}`],
  );
  return `[client]\n${lines.join("\n")}\n`;
}
