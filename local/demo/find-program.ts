// Finds server programs: Debian keeps them in sbin, which is not on an ordinary user's PATH.
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";

export async function findProgram(name: string): Promise<string> {
  const dirs = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  for (const dir of dirs) {
    if (dir === "") continue;
    try {
      await access(join(dir, name), constants.X_OK);
      return join(dir, name);
    } catch {
      // Not in this one.
    }
  }
  throw new Error(`${name} is not installed: run \`node scripts/setup.mjs test\``);
}
