// A file system in memory that keeps inodes, ctimes and hard links as Linux does, on a clock of whole seconds: coarse
// on purpose, so that rewrites within one tick happen all the time.
import type { EntryStat } from "#shared/format/index-entry.ts";

const SECOND_NS = 1_000_000_000n;
export const ROOT = "wp-content";

interface Inode {
  type: "f" | "d" | "l";
  content: string;
  target: string;
  mode: number;
  uid: number;
  mtime: bigint;
  ctime: bigint;
  readonly ino: bigint;
}

export interface ModelSite {
  readonly nowNs: () => bigint;
  readonly pass: (seconds: number) => void;
  readonly names: () => string[];
  readonly files: () => string[];
  readonly directories: () => string[];
  readonly isDirectory: (name: string) => boolean;
  readonly has: (name: string) => boolean;
  readonly write: (name: string, size: number) => void;
  /** Rewrites in place with other bytes of the same length; the directory does not notice. */
  readonly rewrite: (name: string) => void;
  readonly mkdir: (name: string) => void;
  readonly symlink: (name: string, target: string) => void;
  readonly link: (name: string, existing: string) => void;
  readonly remove: (name: string) => void;
  readonly rename: (from: string, to: string) => void;
  readonly chmod: (name: string, mode: number) => void;
  readonly chown: (name: string, uid: number) => void;
  readonly touch: (name: string, seconds: number) => void;
  /** As the runner's walk gives it: sorted, parents first, further names of one inode as hard links. */
  readonly walk: () => EntryStat[];
  readonly content: (name: string) => string;
}

export function createModelSite(): ModelSite {
  let now = 1_700_000_000n * SECOND_NS;
  let nextIno = 2n;
  let version = 0;
  const names = new Map<string, Inode>();

  const inode = (name: string): Inode => {
    const found = names.get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const changeDirectoryOf = (name: string): void => {
    const parent = names.get(name.slice(0, name.lastIndexOf("/")));
    if (parent !== undefined) Object.assign(parent, { mtime: now, ctime: now });
  };
  const create = (name: string, type: Inode["type"], fields: Partial<Inode> = {}): void => {
    const mode = type === "d" ? 0o755 : type === "l" ? 0o777 : 0o644;
    const ino = nextIno;
    nextIno += 1n;
    names.set(name, { type, content: "", target: "", mode, uid: 33, mtime: now, ctime: now, ino, ...fields });
    changeDirectoryOf(name);
  };
  const bytes = (size: number): string => {
    version += 1;
    return `${version}|`.repeat(Math.ceil(size / 2) + 1).slice(0, size);
  };
  const under = (name: string): string[] =>
    [...names.keys()].filter((other) => other === name || other.startsWith(`${name}/`));
  const ofType = (type: Inode["type"]): string[] =>
    [...names].filter(([, node]) => node.type === type).map(([name]) => name);

  create(ROOT, "d");
  return {
    nowNs: () => now,
    pass: (seconds) => {
      now += BigInt(seconds) * SECOND_NS;
    },
    names: () => [...names.keys()],
    files: () => ofType("f"),
    directories: () => ofType("d"),
    isDirectory: (name) => names.get(name)?.type === "d",
    has: (name) => names.has(name),
    write: (name, size) => {
      const old = names.get(name);
      if (old === undefined) create(name, "f", { content: bytes(size) });
      else Object.assign(old, { content: bytes(size), mtime: now, ctime: now });
    },
    rewrite: (name) => {
      const node = inode(name);
      Object.assign(node, { content: bytes(node.content.length), mtime: now, ctime: now });
    },
    mkdir: (name) => create(name, "d"),
    symlink: (name, target) => create(name, "l", { target }),
    link: (name, existing) => {
      const node = inode(existing);
      node.ctime = now;
      names.set(name, node);
      changeDirectoryOf(name);
    },
    remove: (name) => {
      for (const gone of under(name)) {
        inode(gone).ctime = now;
        names.delete(gone);
      }
      changeDirectoryOf(name);
    },
    rename: (from, to) => {
      for (const old of under(from)) {
        names.set(to + old.slice(from.length), inode(old));
        names.delete(old);
      }
      inode(to).ctime = now;
      changeDirectoryOf(from);
      changeDirectoryOf(to);
    },
    chmod: (name, mode) => Object.assign(inode(name), { mode, ctime: now }),
    chown: (name, uid) => Object.assign(inode(name), { uid, ctime: now }),
    touch: (name, seconds) =>
      Object.assign(inode(name), { mtime: now + BigInt(seconds) * SECOND_NS, ctime: now }),
    walk: () => walkOf(names),
    content: (name) => inode(name).content,
  };
}

function walkOf(names: ReadonlyMap<string, Inode>): EntryStat[] {
  const firstName = new Map<bigint, string>();
  // "a/b" before "a.c" and after "a": compare component by component.
  const sorted = [...names].map(([name, node]) => ({ key: name.replaceAll("/", "\0"), name, node }));
  sorted.sort((a, b) => (a.key < b.key ? -1 : 1));
  return sorted.map(({ name, node }) => {
    const { type, mode, uid, mtime, ctime, ino } = node;
    const stat = { name, size: 0, mode, uid, gid: 33, mtimeNs: mtime, ctimeNs: ctime, ino };
    if (type === "d") return { type, ...stat };
    if (type === "l") return { type, ...stat, link: node.target };
    const first = firstName.get(ino);
    if (first !== undefined) return { type: "h", ...stat, link: first };
    firstName.set(ino, name);
    return { type, ...stat, size: node.content.length };
  });
}
