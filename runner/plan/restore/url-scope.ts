// Whether the address of a site can be changed at all, known by its tables' names. Pure.
import { BackupError } from "#shared/errors.ts";
import { normalUrl } from "./url-pattern.ts";

/** The prefix. @throws BackupError `restore_failed`. */
export function checkOneSite(tablePrefix: string | undefined, tables: ReadonlySet<string>): string {
  if (tablePrefix === undefined) {
    throw new BackupError("restore_failed", {
      detail: "The site's $table_prefix is not known, so its address is not",
    });
  }
  if (tables.has(`${tablePrefix}blogs`)) {
    throw new BackupError("restore_failed", {
      detail: "The site is a network, whose addresses are also in wp-config.php and in tables of domains",
      hint: "Restore without a new URL, and change the network's addresses as WordPress' handbook says.",
    });
  }
  return tablePrefix;
}

/** `home`: the option's value. @throws BackupError `restore_failed`. */
export function checkHome(home: string, tablePrefix: string): string {
  try {
    return normalUrl(home);
  } catch (error) {
    throw new BackupError("restore_failed", {
      detail: `The site's address in ${tablePrefix}options is ${home === "" ? "not there" : home}`,
      cause: error,
    });
  }
}
