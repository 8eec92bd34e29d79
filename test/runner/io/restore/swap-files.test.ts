// Swapping files of a live site and back, stopped at every single step: the site is the old or the new one when all
// is done, and always the old one after it was put back, however often that was interrupted.
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSiteTree, type SiteTree } from "#runner/io/restore/site-tree.ts";
import { applySwap, revertSwap } from "#runner/io/restore/swap-files.ts";
import type { Swap } from "#runner/plan/restore/restore-journal.ts";

type Content = "nothing" | "file" | "directory" | "symlink";

let dir: string;
let tree: SiteTree;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "swap-files-")));
  tree = openSiteTree();
});
afterEach(() => {
  tree[Symbol.dispose]();
  rmSync(dir, { recursive: true });
});

function put(path: string, content: Content, mark: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (content === "file") writeFileSync(path, mark);
  if (content === "symlink") symlinkSync(mark, path);
  if (content === "directory") {
    mkdirSync(path);
    writeFileSync(join(path, "index.php"), mark);
  }
}

function show(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "nothing";
  if (stat.isSymbolicLink()) return `symlink ${readlinkSync(path)}`;
  if (stat.isFile()) return `file ${readFileSync(path, "utf8")}`;
  return `directory ${readdirSync(path)
    .map((name) => `${name}=${show(join(path, name))}`)
    .join()}`;
}

class Killed extends Error {}

/** Dies before its n-th change, as kill -9 does; counts what it did. */
function mortal(life: number, base = tree): { tree: SiteTree; changes: () => number } {
  let changes = 0;
  const live = (): void => {
    if (changes === life) throw new Killed();
    changes += 1;
  };
  return {
    changes: () => changes,
    tree: {
      ...base,
      rename(from, to) {
        live();
        base.rename(from, to);
      },
      exchange(one, other) {
        live();
        return base.exchange(one, other);
      },
      link(from, to) {
        live();
        base.link(from, to);
      },
    },
  };
}

function killable(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof Killed) return false;
    throw error;
  }
}

function swapIn(root: string, old: Content, fresh: Content): Swap {
  const stage = join(root, "stage");
  put(join(root, "site", "thing"), old, "old");
  put(join(stage, "fresh", "thing"), fresh, "new");
  for (const name of ["kept", "discarded"]) mkdirSync(join(stage, name), { recursive: true });
  const target = join(root, "site", "thing");
  return {
    target,
    ...(old === "nothing" ? {} : { replaced_inode: String(lstatSync(target, { bigint: true }).ino) }),
    kept: old === "nothing" ? null : join(stage, "kept", "0"),
    fresh: fresh === "nothing" ? null : join(stage, "fresh", "thing"),
    discarded: join(stage, "discarded", "0"),
  };
}

const CONTENTS: readonly Content[] = ["nothing", "file", "directory", "symlink"];
const PAIRS = CONTENTS.flatMap((old) => CONTENTS.map((fresh) => [old, fresh] as const));

/** As on NFS. */
const withoutExchange = (): SiteTree => ({ ...tree, exchange: () => false });
/** A journal from before names were exchanged. */
const withoutInode = (swap: Swap): Swap => ({ ...swap, replaced_inode: undefined });

const WAYS = {
  "where names can be exchanged": () => ({ base: tree, journaled: (swap: Swap) => swap }),
  "where they cannot": () => ({ base: withoutExchange(), journaled: (swap: Swap) => swap }),
  "with an older journal": () => ({ base: tree, journaled: withoutInode }),
};

describe.each(Object.entries(WAYS))("%s", (_, way) => {
  it.each(PAIRS)(
    "%s replaced by %s is the new one, and the old one again when reverted, killed wherever",
    (old, fresh) => {
      const { base, journaled } = way();
      for (let life = 0; ; life += 1) {
        const root = join(dir, String(life));
        const swap = journaled(swapIn(root, old, fresh));
        const [before, after] = [show(swap.target), swap.fresh === null ? "nothing" : show(swap.fresh)];
        const done = killable(() => applySwap(mortal(life, base).tree, swap));
        if (done) expect(show(swap.target)).toBe(after);
        // Killed again and again while it is put back, further on each time.
        for (let revertLife = 0; !killable(() => revertSwap(mortal(revertLife, base).tree, swap)); )
          revertLife += 1;
        expect(show(swap.target)).toBe(before);
        revertSwap(base, swap);
        expect(show(swap.target)).toBe(before);
        if (done) break;
      }
    },
  );
});

const THINGS = CONTENTS.filter((content) => content !== "nothing");
const REPLACEMENTS = THINGS.flatMap((old) => THINGS.map((fresh) => [old, fresh] as const));

describe.skipIf(process.platform !== "linux").each(REPLACEMENTS)("a %s that a %s replaces", (old, fresh) => {
  it("leaves no moment with nothing there, there and back", () => {
    for (let life = 0; ; life += 1) {
      const root = join(dir, String(life));
      const swap = swapIn(root, old, fresh);
      const either = [show(swap.target), show(swap.fresh ?? "")];
      if (!killable(() => applySwap(mortal(life).tree, swap))) {
        expect(either).toContain(show(swap.target));
        continue;
      }
      for (let revertLife = 0; !killable(() => revertSwap(mortal(revertLife).tree, swap)); revertLife += 1)
        expect(either).toContain(show(swap.target));
      break;
    }
  });
});

describe("a site that works on meanwhile", () => {
  const recreating = (swap: Swap): SiteTree => ({
    ...tree,
    rename(from, to) {
      tree.rename(from, to);
      // WordPress makes its upload directory as soon as it misses it.
      if (from === swap.target && to === swap.kept) put(swap.target, "directory", "intruder");
    },
  });

  it("does not keep the new tree out with a directory made in the gap", () => {
    const swap = swapIn(dir, "directory", "directory");
    applySwap({ ...recreating(swap), exchange: () => false }, swap);
    expect(show(swap.target)).toBe("directory index.php=file new");
    revertSwap(tree, swap);
    expect(show(swap.target)).toBe("directory index.php=file old");
  });

  it("may have replaced the directory since the restore was planned, and has that one back", () => {
    for (let life = 0; ; life += 1) {
      const planned = swapIn(join(dir, String(life)), "directory", "directory");
      renameSync(planned.target, `${planned.target}.older`);
      put(planned.target, "directory", "newer");
      const done = killable(() => applySwap(mortal(life).tree, planned));
      if (done) expect(show(planned.target)).toBe("directory index.php=file new");
      for (let revertLife = 0; !killable(() => revertSwap(mortal(revertLife).tree, planned)); )
        revertLife += 1;
      expect(show(planned.target)).toBe("directory index.php=file newer");
      if (done) break;
    }
  });

  it("cannot have a symlink on the way followed", () => {
    const swap = swapIn(dir, "directory", "directory");
    mkdirSync(join(dir, "victim"));
    put(join(dir, "victim", "thing"), "file", "precious");
    rmSync(join(dir, "site"), { recursive: true });
    symlinkSync(join(dir, "victim"), join(dir, "site"));
    expect(() => applySwap(tree, swap)).toThrow(/ENOTDIR|ELOOP/);
    expect(show(join(dir, "victim", "thing"))).toBe("file precious");
  });
});

describe("what a carried name leaves behind", () => {
  it("goes back into the old tree before that goes back", () => {
    const main = swapIn(dir, "directory", "directory");
    put(join(main.target, "videos"), "file", "huge");
    const from = join(main.kept ?? "", "videos");
    const carry = { target: join(main.target, "videos"), kept: null, fresh: from, discarded: from };
    applySwap(tree, main);
    applySwap(tree, carry);
    expect(show(join(main.target, "videos"))).toBe("file huge");
    const revert = (to: SiteTree): void => {
      for (const swap of [carry, main]) revertSwap(to, swap);
    };
    for (let life = 0; !killable(() => revert(mortal(life).tree)); ) life += 1;
    for (let twice = 0; twice < 2; twice += 1) {
      expect(show(main.target)).toBe("directory index.php=file old,videos=file huge");
      revert(tree);
    }
  });
});

describe("removal", () => {
  it("takes a deep tree away, but nothing behind a symlink in it", async () => {
    put(join(dir, "victim", "thing"), "file", "precious");
    put(join(dir, "doomed", "a", "b", "c"), "directory", "x");
    symlinkSync(join(dir, "victim"), join(dir, "doomed", "a", "link"));
    for (let number = 0; number < 1200; number += 1)
      put(join(dir, "doomed", "many", `${number}`), "file", "");
    await tree.remove(join(dir, "doomed"));
    await tree.remove(join(dir, "doomed"));
    expect(readdirSync(dir)).toEqual(["victim"]);
    expect(show(join(dir, "victim", "thing"))).toBe("file precious");
  });

  it("refuses a path that leads through a symlink", async () => {
    put(join(dir, "victim", "thing"), "file", "precious");
    symlinkSync(join(dir, "victim"), join(dir, "stage"));
    await expect(tree.remove(join(dir, "stage", "thing"))).rejects.toThrow(/ENOTDIR|ELOOP/);
    expect(show(join(dir, "victim", "thing"))).toBe("file precious");
  });
});
