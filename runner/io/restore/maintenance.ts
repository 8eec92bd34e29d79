// WordPress' own maintenance mode: while `.maintenance` lies beside wp-settings.php, visitors are told to come back in
// a minute (503, Retry-After) instead of seeing half a database.
import type { ByteString } from "../../plan/byte-string.ts";
import type { SiteTree } from "./site-tree.ts";

/** WordPress ignores the file when its time is ten minutes old; an import may take longer. */
const TEXT = "<?php $upgrading = time(); // backupd restores this site.\n";

export function maintenanceFile(coreDir: ByteString): ByteString {
  return `${coreDir}/.maintenance`;
}

/** Whether it was made; if there is one already, that one does as well, and is not ours to remove. */
export function enterMaintenance(tree: SiteTree, file: ByteString): boolean {
  if (tree.kindOf(file) !== undefined) return false;
  tree.makeFile(file, TEXT, 0o644);
  return true;
}

export function leaveMaintenance(tree: SiteTree, file: ByteString): void {
  if (tree.kindOf(file) === "other") tree.unlink(file);
}
