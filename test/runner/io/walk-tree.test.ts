// A tree whose owner swaps directories while it is walked: what is outside is never entered nor read.
import {
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type TreeEntry, walkTree } from "#runner/io/walk-tree.ts";

let scratch: string;
let root: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "walk-"));
  root = join(scratch, "root");
  mkdirSync(root);
});

afterEach(() => rmSync(scratch, { recursive: true }));

function inRoot(name: string, content = "inside"): void {
  mkdirSync(join(root, name, ".."), { recursive: true });
  writeFileSync(join(root, name), content);
}

interface Walked {
  readonly visited: readonly string[];
  readonly vanished: readonly string[];
}

function walk(onVisit: (name: string, entry: TreeEntry) => void = () => undefined): Walked {
  const [visited, vanished]: [string[], string[]] = [[], []];
  walkTree(root, {
    visit(entry) {
      const name = entry.path.join("/");
      visited.push(entry.stat.isDirectory() ? `${name}/` : name);
      onVisit(name, entry);
    },
    excludes: () => false,
    vanished: (path) => vanished.push(path.join("/")),
  });
  return { visited, vanished };
}

/** `name` inside now leads to `outside`. */
function swap(name: string, outside: string): void {
  renameSync(join(root, name), join(scratch, "moved-away"));
  symlinkSync(join(scratch, outside), join(root, name));
}

it("visits in byte order, a directory before what is in it", () => {
  for (const name of ["b/2", "b/1", "B", "a-b/x", "a/x", "é"]) inRoot(name);
  const utf8 = Buffer.from("é").toString("latin1");
  expect(walk().visited).toEqual(["/", "B", "a/", "a/x", "a-b/", "a-b/x", "b/", "b/1", "b/2", utf8]);
});

it("takes a directory that was swapped for a link before its turn for that link", () => {
  inRoot("a");
  inRoot("dir/x");
  mkdirSync(join(scratch, "outside"));
  writeFileSync(join(scratch, "outside/secret"), "");
  const { visited } = walk((name) => name === "a" && swap("dir", "outside"));
  expect(visited).toEqual(["/", "a", "dir"]);
});

it("enters nothing outside when the directory it is in is swapped for a link", () => {
  inRoot("dir/1");
  inRoot("dir/2");
  inRoot("dir/4/x");
  symlinkSync("inside's", join(root, "dir/3"));
  mkdirSync(join(scratch, "outside/2"), { recursive: true });
  mkdirSync(join(scratch, "outside/4"));
  writeFileSync(join(scratch, "outside/2/secret"), "");
  writeFileSync(join(scratch, "outside/4/secret"), "");
  symlinkSync("outside's", join(scratch, "outside/3"));
  const targets: string[] = [];
  const { visited, vanished } = walk((name, { locate, stat }) => {
    if (name === "dir/1") swap("dir", "outside");
    if (stat.isSymbolicLink()) targets.push(readlinkSync(locate(), "utf8"));
  });
  expect(visited).toEqual(["/", "dir/", "dir/1", "dir/3", "dir/4/", "dir/4/x"]);
  expect(targets).toEqual(["inside's"]);
  // A directory outside, a file inside: whatever it was, it was not what could be entered.
  expect(vanished).toEqual(["dir/2"]);
});

it("finds what its usual path no longer leads to", () => {
  inRoot("dir/1");
  inRoot("dir/2", "two");
  const { visited, vanished } = walk((name) => {
    if (name === "dir/1") renameSync(join(root, "dir"), join(scratch, "moved-away"));
  });
  expect(visited).toEqual(["/", "dir/", "dir/1", "dir/2"]);
  expect(vanished).toEqual([]);
});

it("goes deeper than a path may be long", () => {
  const name = "n".repeat(250);
  const depth = 20;
  const cwd = process.cwd();
  try {
    process.chdir(root);
    for (let level = 0; level < depth; level += 1) {
      mkdirSync(name);
      process.chdir(name);
    }
    writeFileSync("leaf", "");
  } finally {
    process.chdir(cwd);
  }
  const { visited, vanished } = walk();
  expect(visited).toHaveLength(depth + 2);
  expect(visited.at(-1)?.endsWith("/leaf")).toBe(true);
  expect(vanished).toEqual([]);
});
