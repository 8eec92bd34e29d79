// Random histories of a real directory, backed up step by step by the real walk, planner, packer and compressor with
// copying as eager as it can be: whatever came before, the stock zstd and tar make exactly the tree of that moment.
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import { decodeIndex } from "#runner/io/decode-index.ts";
import { FLAG_CHANGED_WHILE_READ, FLAG_RACY } from "#shared/format/index-entry.ts";
import { extract, makeSite, type PackedArchive, packTo, type SiteOnDisk } from "./pack-to-tree.ts";

interface Tree {
  readonly root: string;
  /** Fresh content of that many bytes that compresses badly. */
  readonly bytes: (size: number) => Buffer;
}
type Change = (tree: Tree) => void;

const OLD = 1_700_000_000;
const names = fc.constantFrom("a", "b", "c.php", "ü", "with space", "-rf", "x".repeat(120));
const sizes = fc.constantFrom(0, 1, 511, 512, 5_000, 40_000, 300_000);

/** All paths of one kind below the root, the root not included. */
function below(root: string, is: "isFile" | "isDirectory" | "isSymbolicLink"): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry[is]())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function pick<T>(from: readonly T[], seed: number): T | undefined {
  return from[seed % Math.max(1, from.length)];
}

/** The change to a file of the tree, if there is any. */
const toFile = (change: (file: string, tree: Tree) => void): fc.Arbitrary<Change> =>
  fc.nat().map((seed) => (tree) => {
    const file = pick(below(tree.root, "isFile"), seed);
    if (file !== undefined) change(file, tree);
  });

const add = fc.tuple(fc.nat(), names, sizes).map(
  ([seed, name, size]): Change =>
    (tree) => {
      const dir = pick([tree.root, ...below(tree.root, "isDirectory")], seed) ?? tree.root;
      const path = join(dir, name);
      rmSync(path, { recursive: true, force: true });
      writeFileSync(path, tree.bytes(size));
    },
);
const addDirectory = fc.tuple(fc.nat(), names).map(
  ([seed, name]): Change =>
    (tree) => {
      const path = join(pick([tree.root, ...below(tree.root, "isDirectory")], seed) ?? tree.root, name);
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
    },
);
const addLink = fc.tuple(fc.nat(), names, names).map(
  ([seed, name, target]): Change =>
    (tree) => {
      const path = join(pick([tree.root, ...below(tree.root, "isDirectory")], seed) ?? tree.root, name);
      rmSync(path, { recursive: true, force: true });
      symlinkSync(target, path);
    },
);
const removeAny = fc.nat().map(
  (seed): Change =>
    (tree) => {
      const all = [...below(tree.root, "isFile"), ...below(tree.root, "isDirectory")];
      const path = pick(all, seed);
      if (path !== undefined) rmSync(path, { recursive: true });
    },
);
const renameAny = fc.tuple(fc.nat(), names).map(
  ([seed, name]): Change =>
    (tree) => {
      const path = pick([...below(tree.root, "isFile"), ...below(tree.root, "isDirectory")], seed);
      if (path === undefined || path === join(tree.root, name)) return;
      rmSync(join(tree.root, name), { recursive: true, force: true });
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) renameSync(path, join(tree.root, name));
    },
);
/** Same size, same mtime: only the ctime tells, and within its clock's tick not even that. */
const rewriteSlyly = toFile((file, tree) => {
  const { mtimeMs, size } = lstatSync(file);
  writeFileSync(file, tree.bytes(size));
  utimesSync(file, mtimeMs / 1000, mtimeMs / 1000);
});
const change = fc.oneof(
  { weight: 4, arbitrary: add },
  addDirectory,
  addLink,
  removeAny,
  renameAny,
  rewriteSlyly,
  toFile((file) => appendFileSync(file, "more")),
  toFile((file) => chmodSync(file, 0o640)),
  toFile((file) => utimesSync(file, OLD, OLD + 0.123456)),
  toFile((file, tree) => {
    const second = join(tree.root, "second-name");
    rmSync(second, { recursive: true, force: true });
    if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) linkSync(file, second);
  }),
);

function makeTree(on: SiteOnDisk): Tree {
  let state = 1;
  const bytes = (size: number): Buffer => {
    const buffer = Buffer.alloc(size);
    for (let at = 0; at < size; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      buffer[at] = state >>> 24;
    }
    return buffer;
  };
  return { root: on.content, bytes };
}

async function expectExact(on: SiteOnDisk, packed: PackedArchive, dump: string): Promise<void> {
  const tree = join(on.dir, "out");
  await rm(tree, { recursive: true, force: true });
  const { complaints } = await extract(packed.archive, tree);
  expect(complaints).toBe("");
  expect(await compareTrees(on.content, join(tree, "wp-content"))).toEqual([]);
  expect(await readFile(join(tree, "database.sql"), "utf8")).toBe(dump);
  expect(readdirSync(tree).sort()).toEqual(["database.sql", "wp-config.php", "wp-content"]);
}

/**
 * More than the file system's clock needs to tick, and less than a backup takes: so what has not changed for a step
 * can be copied, which would take two seconds with the product's window.
 */
const RACY_WINDOW_NS = 20_000_000n;

describe("a history of backups", () => {
  it("is at each step exactly the tree of that step, with whatever could be copied", async () => {
    let copiedBytes = 0;
    let incrementals = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(change, { maxLength: 5 }), fc.boolean()), { minLength: 4, maxLength: 6 }),
        async (steps) => {
          await using on = await makeSite();
          const tree = makeTree(on);
          for (let n = 0; n < 12; n += 1) writeFileSync(join(on.content, `base${n}`), tree.bytes(n * 9_000));
          let previous: PackedArchive | undefined;
          for (const [index, [changes, newDump]] of steps.entries()) {
            for (const apply of changes) apply(tree);
            const dump = newDump ? `-- dump ${index}\n` : "-- the same dump\n";
            const archive = join(on.dir, `${index}.tar.zst`);
            const how = { dump, racyWindowNs: RACY_WINDOW_NS };
            const packed = await packTo(archive, on, previous === undefined ? how : { ...how, previous });
            await expectExact(on, packed, dump);
            copiedBytes += packed.plan.copied.bytes;
            if (packed.plan.mode === "incremental") incrementals += 1;
            previous = packed;
          }
        },
      ),
      { numRuns: 6 },
    );
    expect(incrementals).toBeGreaterThan(3);
    expect(copiedBytes).toBeGreaterThan(0);
  }, 120_000);
});

describe("a file that cannot be trusted to be as its stat says", () => {
  async function flagsOf({ result }: PackedArchive, name: string): Promise<number> {
    const { entries } = await decodeIndex(Buffer.concat(result.index));
    return entries.flags(entries.find(`wp-content/${name}`));
  }

  it("is read again if it was written within two seconds before it was read", async () => {
    await using on = await makeSite();
    writeFileSync(join(on.content, "fresh"), "one");
    utimesSync(join(on.content, "fresh"), OLD, OLD);
    const first = await packTo(join(on.dir, "1.tar.zst"), on, {});
    expect(await flagsOf(first, "fresh")).toBe(FLAG_RACY);
    const second = await packTo(join(on.dir, "2.tar.zst"), on, { previous: first });
    expect(second.plan.counts).toMatchObject({ changed: 2, deleted: 0 }); // It, and wp-config.php.
  });

  it("is read again if it changed while it was read, even if nothing else tells", async () => {
    await using on = await makeSite();
    writeFileSync(join(on.content, "a-big"), Buffer.alloc(4_000_000, "a"));
    const how = { racyWindowNs: 0n };
    const meanwhile = async (): Promise<void> => appendFileSync(join(on.content, "a-big"), "more");
    const first = await packTo(join(on.dir, "1.tar.zst"), on, { ...how, meanwhile });
    expect(await flagsOf(first, "a-big")).toBe(FLAG_CHANGED_WHILE_READ);
    const second = await packTo(join(on.dir, "2.tar.zst"), on, { ...how, previous: first });
    await expectExact(on, second, "-- a dump\n");
    expect(await flagsOf(second, "a-big")).toBe(0);
    const third = await packTo(join(on.dir, "3.tar.zst"), on, { ...how, previous: second });
    await expectExact(on, third, "-- a dump\n");
    expect(third.plan).toMatchObject({ mode: "incremental", counts: { changed: 0, added: 0 } });
    expect(third.summary.bytesRead).toBe(0);
  });
});

it("copies the dump, too, if it is the same, and packs one of another content", async () => {
  await using on = await makeSite();
  const how = { racyWindowNs: 0n };
  const first = await packTo(join(on.dir, "1.tar.zst"), on, { ...how, dump: "-- same\n" });
  const second = await packTo(join(on.dir, "2.tar.zst"), on, { ...how, dump: "-- same\n", previous: first });
  await expectExact(on, second, "-- same\n");
  expect(second.plan.copied.database).not.toBeNull();
  const third = await packTo(join(on.dir, "3.tar.zst"), on, { ...how, dump: "-- other\n", previous: second });
  await expectExact(on, third, "-- other\n");
  expect(third.plan.copied.database).toBeNull();
});

it("is packed in full, and says so, if the index before cannot be read", async () => {
  await using on = await makeSite();
  const first = await packTo(join(on.dir, "1.tar.zst"), on, {});
  const damaged = { ...first, result: { ...first.result, index: [Buffer.from("no index")] } };
  const second = await packTo(join(on.dir, "2.tar.zst"), on, { previous: damaged });
  await expectExact(on, second, "-- a dump\n");
  expect(second.plan).toMatchObject({ mode: "full", fullReason: "previous_unreadable" });
});
