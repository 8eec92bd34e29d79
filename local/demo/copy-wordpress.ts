// Makes a self-contained WordPress directory out of the installed package: real files, as on a server.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../run-program.ts";

/** Debian's package, and where scripts/setup-plan.mjs tells people of other systems to unpack WordPress. */
const SOURCES = ["/usr/share/wordpress", "/usr/local/share/wordpress"];

export function findWordpress(): string {
  const found = SOURCES.find((dir) => existsSync(join(dir, "wp-load.php")));
  if (found === undefined) {
    throw new Error(`WordPress is not in ${SOURCES.join(" or ")}: run \`node scripts/setup.mjs test\``);
  }
  return found;
}

/**
 * Debian's tree has links to files of other packages, and a wp-config.php that reads /etc/wordpress: the copy has
 * the files themselves and no configuration.
 */
export async function copyWordpress(siteDir: string): Promise<void> {
  await mkdir(siteDir, { recursive: true, mode: 0o755 });
  await runProgram("cp", ["-RL", `${findWordpress()}/.`, siteDir]);
  await rm(join(siteDir, "wp-config.php"), { force: true });
}
