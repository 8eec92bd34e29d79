// Which backupd the local stack and the tests start: the working copy's, or a packaged one, which starts in a quarter
// of the time.
import { fileURLToPath } from "node:url";

/** Takes the path of an executable; the system tests set it. */
export const LAUNCHER_VARIABLE = "BACKUPD_LAUNCHER";

export const SOURCE_LAUNCHER: string = fileURLToPath(new URL("../bin/backupd", import.meta.url));

export function backupdLauncher(): string {
  return process.env[LAUNCHER_VARIABLE] ?? SOURCE_LAUNCHER;
}
