// WordPress' own files, which no backup has, copied for a trial of the restored site. They may be a live site's, which its
// owner changes while they are read: names are looked up from open directories, links are left out, and there is a limit.
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type ByteString, fromUtf8, type SystemPath } from "../../plan/byte-string.ts";
import { openTreeBuilder, type TreeBuilder } from "../restore/tree-builder.ts";
import { isGone, walkTree } from "../walk-tree.ts";

/** Debian's package, and where people unpack wordpress.org's. */
const SYSTEM_DIRS = ["/usr/share/wordpress", "/usr/local/share/wordpress"];
const MAX_FILES = 20_000;
const MAX_BYTES = 314_572_800;
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK;

export interface CoreSource {
  readonly dir: string;
  /** Root's: links in it lead where root wants them to. */
  readonly isSystems: boolean;
}

/** The site's, or else the system's. */
export function findCore(coreDir: string | undefined): CoreSource | undefined {
  if (coreDir !== undefined) return { dir: coreDir, isSystems: false };
  const dir = SYSTEM_DIRS.find((each) => existsSync(join(each, "wp-settings.php")));
  return dir === undefined ? undefined : { dir, isSystems: true };
}

/** Why it cannot be used, if so. `to`: exists and is empty. `uid`: whose the copy is. */
export async function copyCore(
  { dir, isSystems }: CoreSource,
  to: string,
  uid: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const owner = { uid, gid: uid };
  using tree = openTreeBuilder(fromUtf8(to), { to: owner, knownUids: [], knownGids: [] });
  let [files, bytes] = [0, 0];
  for (const part of ["wp-includes", "wp-admin", "."]) {
    await setImmediate();
    signal.throwIfAborted();
    try {
      walkTree(join(dir, part), {
        excludes: (path, isDirectory) => part === "." && (isDirectory || !isOwnFile(path)),
        vanished: () => undefined,
        visit({ path, locate, stat }) {
          if (path.length === 0 || stat.isDirectory()) return;
          if (!stat.isFile() && !(isSystems && stat.isSymbolicLink())) return;
          const name = part === "." ? path.join("/") : `${part}/${path.join("/")}`;
          const size = copyFile(tree, locate(), name, isSystems);
          [files, bytes] = [files + 1, bytes + size];
          if (files > MAX_FILES || bytes > MAX_BYTES) throw new TooMuch();
        },
      });
    } catch (error) {
      if (error instanceof TooMuch) return `${dir} has more files than WordPress has`;
      if (isGone(error)) return `${join(dir, part)} is not there`;
      throw error;
    }
  }
  return undefined;
}

class TooMuch extends Error {}

/** At the top only WordPress' own files: nothing of the site's, least of all its wp-config.php. */
function isOwnFile([name = ""]: readonly ByteString[]): boolean {
  return name === "index.php" || (/^wp-[\w-]+\.php$/.test(name) && name !== "wp-config.php");
}

function copyFile(tree: TreeBuilder, location: SystemPath, name: ByteString, mayFollow: boolean): number {
  let fd: number;
  try {
    fd = openSync(location, READ_ONLY | (mayFollow ? 0 : constants.O_NOFOLLOW));
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_BYTES) return 0;
    const content = readFileSync(fd);
    const file = tree.createFile(name, { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n });
    file.write(content);
    file.close();
    return content.length;
  } finally {
    closeSync(fd);
  }
}
