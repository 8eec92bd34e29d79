// Where a program of the system is. A daemon's PATH is often short, and database clients are not always on it.
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

const DIRECTORIES = [
  "/usr/bin",
  "/usr/local/bin",
  "/bin",
  "/usr/local/mysql/bin",
  "/opt/homebrew/bin",
  // Servers.
  "/usr/sbin",
  "/usr/local/sbin",
  "/usr/libexec",
];

/** The first of `names` that is installed. */
export function findProgram(names: readonly string[]): string | undefined {
  for (const name of names) {
    for (const directory of DIRECTORIES) {
      const path = join(directory, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here: on to the next directory.
      }
    }
  }
  return undefined;
}
