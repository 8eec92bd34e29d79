// What can happen to a real directory between two backups, as data, with names that are byte strings: latin1 text of
// the bytes, as the product has them.
import {
  appendFileSync,
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import fc from "fast-check";

export interface Tree {
  /** A byte string, as all paths here. */
  readonly root: string;
  /** Fresh content of that many bytes, hard to compress. */
  readonly bytes: (size: number) => Buffer;
}

export interface Change {
  readonly kind: keyof typeof CHANGES;
  /** Picks what it happens to. */
  readonly a: number;
  readonly b: number;
  readonly name: string;
  readonly size: number;
}

export const toPath = (bytes: string): Buffer => Buffer.from(bytes, "latin1");

const NAMES = [
  "a",
  "b",
  "c.php",
  "with space",
  "-rf",
  "new\nline",
  "\\n",
  "\xc3\xbc",
  "\xff\xfe",
  "caf\xe9",
  "\x01\x7f",
  "..b",
  "n".repeat(255),
  "\xe9".repeat(255),
];
const SIZES = [0, 1, 511, 512, 513, 3_000, 9_000];
const OLD_SECONDS = 1_700_000_000;
const HUGE_BYTES = 150_000;
const isRoot = process.getuid?.() === 0;

const CHANGES = {
  add: (tree, change) =>
    clear(inSomeDirectory(tree, change), (path) => writeFileSync(path, tree.bytes(change.size))),
  mkdir: (tree, change) => clear(inSomeDirectory(tree, change), (path) => mkdirSync(path)),
  symlink: (tree, change) =>
    clear(inSomeDirectory(tree, change), (path) =>
      symlinkSync(toPath(NAMES[change.a % NAMES.length] ?? "x"), path),
    ),
  retarget: (tree, { a, b }) =>
    on(below(tree.root, "l"), a, (path) => {
      rmSync(path);
      symlinkSync(`../other-${b % 3}`, path);
    }),
  /** Other bytes, same size, same mtime: only ctime tells. */
  rewrite: (tree, { a }) =>
    on(below(tree.root, "f"), a, (path) => {
      const { atimeMs, mtimeMs, size } = lstatSync(path);
      writeFileSync(path, tree.bytes(size));
      utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
    }),
  append: (tree, { a }) => on(below(tree.root, "f"), a, (path) => appendFileSync(path, "more")),
  truncate: (tree, { a }) =>
    on(below(tree.root, "f"), a, (path) => truncateSync(path, lstatSync(path).size >> 1)),
  growHuge: (tree, { a, b }) =>
    on(below(tree.root, "f"), a, (path) => appendFileSync(path, tree.bytes(HUGE_BYTES + (b % 1000)))),
  chmod: (tree, { a, b }) =>
    on(below(tree.root, "fd"), a, (path) => chmodSync(path, 0o700 | b | (b % 7 === 0 ? 0o4000 : 0))),
  chown: (tree, { a, b }) => {
    if (isRoot) on(below(tree.root, "fdl"), a, (path) => lchownSync(path, b % 5, b % 3));
  },
  touch: (tree, { a, b }) =>
    on(below(tree.root, "fdl"), a, (path) => lutimesSync(path, OLD_SECONDS, OLD_SECONDS + b / 1000)),
  hardLink: (tree, change) =>
    on(below(tree.root, "f"), change.a, (file) => {
      const second = inSomeDirectory(tree, change);
      if (lstatSync(toPath(second), { throwIfNoEntry: false }) === undefined) linkSync(file, toPath(second));
    }),
  rename: (tree, change) =>
    on(below(tree.root, "fdl"), change.a, (from) => {
      const to = inSomeDirectory(tree, change);
      const isWithin = `${to}/`.startsWith(`${from.toString("latin1")}/`);
      if (!isWithin && lstatSync(toPath(to), { throwIfNoEntry: false }) === undefined)
        renameSync(from, toPath(to));
    }),
  remove: (tree, { a }) => on(below(tree.root, "fdl"), a, (path) => rmSync(path, { recursive: true })),
  /** A file or link becomes a directory with something in it, and the other way round. */
  swapType: (tree, { a, size }) =>
    on(below(tree.root, "fdl"), a, (path) => {
      const wasDirectory = lstatSync(path).isDirectory();
      rmSync(path, { recursive: true });
      if (wasDirectory) writeFileSync(path, tree.bytes(size));
      else {
        mkdirSync(path);
        writeFileSync(Buffer.concat([path, Buffer.from("/inner")]), tree.bytes(size));
      }
    }),
} satisfies Record<string, (tree: Tree, change: Omit<Change, "kind">) => void>;

export const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[]), "add", "add", "mkdir"),
  a: fc.nat(1000),
  b: fc.nat(1000),
  name: fc.constantFrom(...NAMES),
  size: fc.constantFrom(...SIZES),
});

export function applyChange(tree: Tree, { kind, ...change }: Change): void {
  CHANGES[kind](tree, change);
}

/** Noise of its own for each tree, the same in every run. */
export function makeTree(root: string): Tree {
  let state = 1;
  const bytes = (size: number): Buffer => {
    const words = new Uint32Array(Math.ceil(size / 4));
    for (let at = 0; at < words.length; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      words[at] = state ^ (state >>> 15);
    }
    return Buffer.from(words.buffer, 0, size);
  };
  return { root: Buffer.from(root).toString("latin1"), bytes };
}

/** All paths below of some of the kinds: `f`ile, `d`irectory, symbolic `l`ink. */
function below(directory: string, kinds: string): string[] {
  return readdirSync(toPath(directory), { encoding: "latin1" })
    .sort()
    .flatMap((name) => {
      const path = `${directory}/${name}`;
      const stat = lstatSync(toPath(path));
      const isWanted = kinds.includes(stat.isDirectory() ? "d" : stat.isFile() ? "f" : "l");
      return [...(isWanted ? [path] : []), ...(stat.isDirectory() ? below(path, kinds) : [])];
    });
}

function inSomeDirectory(tree: Tree, { b, name }: Pick<Change, "b" | "name">): string {
  const directories = [tree.root, ...below(tree.root, "d")].filter((path) => path.length < 2000);
  return `${directories[b % directories.length] ?? tree.root}/${name}`;
}

function clear(path: string, then: (path: Buffer) => void): void {
  rmSync(toPath(path), { recursive: true, force: true });
  then(toPath(path));
}

function on(paths: readonly string[], seed: number, then: (path: Buffer) => void): void {
  const path = paths[seed % Math.max(1, paths.length)];
  if (path !== undefined) then(toPath(path));
}
