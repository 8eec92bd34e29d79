// Hundreds of random histories of a real directory, backed up step by step by the real survey, planner, packer and
// compressor with copying as eager as it can be: whatever came before, the stock zstd and tar make exactly the tree of
// each step. FILE_HISTORIES=5000 runs that many. The thread around the packer is tried in incremental.system.test.ts,
// the planner alone, on a model with coarser clocks, in plan/copy/histories.test.ts.
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { awaitTick } from "./await-tick.ts";
import { packInline } from "./pack-inline.ts";
import { makeSite, type PackedArchive, packTo, type SiteOnDisk } from "./pack-to-tree.ts";
import { applyChange, type Change, change, makeTree } from "./random-changes.ts";
import { treeFacts } from "./tree-facts.ts";

const RUNS = Number(process.env["FILE_HISTORIES"] ?? 120);
/** The same histories again. */
const SEED = process.env["SEED"];
/** Where the machine has one, memory: it is the trees that are tried, not the disk. */
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
/** More than the clock of any file system in use here needs to tick. */
const HASTY_WINDOW_NS = 20_000_000n;
const run = promisify(execFile);

interface Step {
  readonly changes: readonly Change[];
  readonly isNewDump: boolean;
  /** The next changes come at once: then only the racy rule tells what was written before from what is after. */
  readonly isHasty: boolean;
}

const REST: Step = { changes: [], isNewDump: false, isHasty: false };
const steps = fc
  .array(
    fc.record<Step>({
      changes: fc.array(change, { maxLength: 6 }),
      isNewDump: fc.boolean(),
      isHasty: fc.constantFrom(false, false, true),
    }),
    { minLength: 2, maxLength: 5 },
  )
  .map((some) => [...some, REST, REST]);

it(`is the tree of each step, in ${RUNS} histories, and copies in each of them`, {
  timeout: RUNS * 2000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      await using on = await makeSite(SCRATCH);
      const expected = await backUpEachStep(on, history);
      await extractAll(on.dir);
      for (const [index, facts] of expected.entries()) {
        const tree = join(on.dir, `${index}.tree`);
        const dump = readFileSync(join(tree, "database.sql"), "utf8");
        expect([dump, ...siteFacts(tree)], `backup ${index}`).toEqual(facts);
      }
    }),
    { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
  );
});

/** Makes 0.tar.zst, 1.tar.zst … in the scratch directory; what each of them has to hold. */
async function backUpEachStep(on: SiteOnDisk, history: readonly Step[]): Promise<string[][]> {
  const tree = makeTree(on.content);
  for (let n = 0; n < 8; n += 1) writeFileSync(join(on.content, `base${n}`), tree.bytes(n * 1_500));
  const expected: string[][] = [];
  let previous: PackedArchive | undefined;
  let dump = "-- the first dump\n";
  let copiedBytes = 0;
  for (const [index, { changes, isNewDump, isHasty }] of history.entries()) {
    for (const one of changes) applyChange(tree, one);
    if (isNewDump) dump = `-- dump ${index}\n`;
    if (!isHasty) awaitTick(on.dir);
    const how = { dump, frameBytes: 4096, packer: packInline, racyWindowNs: isHasty ? HASTY_WINDOW_NS : 0n };
    const archive = join(on.dir, `${index}.tar.zst`);
    previous = await packTo(archive, on, previous === undefined ? how : { ...how, previous });
    if (!isHasty) awaitTick(on.dir);
    copiedBytes += previous.plan.copied.bytes;
    expected.push([dump, ...siteFacts(on.site)]);
  }
  expect(copiedBytes).toBeGreaterThan(0);
  return expected;
}

function siteFacts(dir: string): string[] {
  return ["wp-config.php", "wp-content"].flatMap((name) => treeFacts(join(dir, name)));
}

/** One shell for all archives of a history; starting programs is what takes the time. */
async function extractAll(dir: string): Promise<void> {
  const script = `for archive in *.tar.zst; do
    tree=\${archive%.tar.zst}.tree; mkdir "$tree"
    zstd -q -d "$archive" -o "$tree.tar" && tar -xpf "$tree.tar" --same-owner -C "$tree"; done`;
  const { stderr } = await run("bash", ["-e", "-c", script], { cwd: dir });
  expect(stderr).toBe("");
}
