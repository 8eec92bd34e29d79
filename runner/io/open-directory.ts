// Opens directories so that names can be looked up from their descriptors (openat(2) by another name): whoever may
// change the tree cannot swap a directory for a symlink and lead us out of it.
import { closeSync, constants, openSync } from "node:fs";
import { type ByteString, type SystemPath, systemPath } from "../plan/byte-string.ts";

export interface OpenDirectory {
  readonly fd: number;
  /** What paths of names within it begin with. */
  readonly prefix: ByteString;
}

const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** On Linux a path may begin at one's own descriptor. */
const OWN_DESCRIPTORS = process.platform === "linux" ? "/proc/self/fd" : undefined;

/** `path`: as bytes; used beyond the opening only where descriptors have no path. */
export function openDirectory(path: ByteString): OpenDirectory {
  const fd = openSync(systemPath(path), DIRECTORY_FLAGS);
  return { fd, prefix: OWN_DESCRIPTORS === undefined ? path : `${OWN_DESCRIPTORS}/${fd}` };
}

export interface TreeCursor extends Disposable {
  /** What system calls take for that name below the root; valid until the next call. Throws as open(2) does. */
  locate(path: readonly ByteString[]): SystemPath;
}

/** Goes about a tree name by name; neighbours are cheap, since the directories they share stay open. */
export function openTreeCursor(root: string): TreeCursor {
  const rootPath = Buffer.from(root).toString("latin1");
  const open: (OpenDirectory & { readonly name: ByteString })[] = [];
  const closeTo = (length: number): void => {
    while (open.length > length) {
      const last = open.pop();
      if (last !== undefined) closeSync(last.fd);
    }
  };
  return {
    locate(path) {
      const names = ["", ...path.slice(0, -1)];
      let shared = 0;
      while (shared < open.length && open[shared]?.name === names[shared]) shared += 1;
      closeTo(shared);
      for (const name of names.slice(shared)) {
        const parent = open.at(-1);
        open.push({ name, ...openDirectory(parent === undefined ? rootPath : `${parent.prefix}/${name}`) });
      }
      return systemPath(`${open.at(-1)?.prefix}/${path.at(-1)}`);
    },
    [Symbol.dispose]: () => closeTo(0),
  };
}
