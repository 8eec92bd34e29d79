// The promise of the incremental: whatever happened to the site, extracting backup N gives the tree of backup N, and
// nothing changed or deleted is ever copied. Thousands of random histories of the pure engine against a model of the
// file system and of tar. HISTORIES=100000 runs that many (test/runner/io/histories.system.test.ts has real files).
import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type CopyPlan, createCopyPlanner } from "#runner/plan/copy/plan-copies.ts";
import type { PreviousArchive } from "#runner/plan/copy/previous-archive.ts";
import { racyFlag } from "#runner/plan/copy/racy.ts";
import type { EntryStat } from "#shared/format/index-entry.ts";
import { type Extracted, extract, type ModelArchive, sha256, writeModelArchive } from "./model-archive.ts";
import { act, EPILOGUE, type History, history } from "./model-history.ts";
import { createModelSite, type ModelSite, ROOT } from "./model-site.ts";

const RUNS = Number(process.env["HISTORIES"] ?? 2000);
/** The same histories again. */
const SEED = process.env["SEED"];

/** What the histories were made of: a property that holds because nothing happens proves nothing. */
interface Tally {
  backups: number;
  incremental: number;
  /** Unchanged entries that were packed again because a neighbour in their frame was not. */
  repacked: number;
  dumpsCopied: number;
  spanning: number;
}

it(`extracts to exactly the tree after every backup of ${RUNS} histories`, { timeout: RUNS * 50 }, () => {
  const tally: Tally = { backups: 0, incremental: 0, repacked: 0, dumpsCopied: 0, spanning: 0 };
  fc.assert(
    fc.property(history, (input) => runHistory(input, tally)),
    { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
  );
  expect(tally.incremental / tally.backups).toBeGreaterThan(0.25);
  for (const times of [tally.repacked, tally.dumpsCopied, tally.spanning]) {
    expect(times).toBeGreaterThan(RUNS / 10);
  }
});

// node:assert in what runs a hundred thousand times: vitest's expect would take longer than the engine.
function runHistory({ limits, cutAnywhere, steps }: History, tally: Tally): void {
  const site = createModelSite();
  let dump = "-- dump 0";
  let last: ModelArchive | undefined;
  let copies = 0;
  site.write("wp-config.php", 300);
  for (let n = 0; n < 10; n += 1) site.write(`${ROOT}/f${n}`, (n * 977) % 6000);
  for (const step of [...steps, ...EPILOGUE]) {
    site.pass(step.secondsBefore);
    if (step.act === "dump") dump = `-- dump ${step.a}`.repeat(1 + (step.b % 500));
    else act(site, step);
    if (!step.backup) continue;
    const walk = site.walk();
    const plan = planOf(last?.previous, walk, { ...limits, dumpSha256: sha256(dump) });
    checkLimits(plan, walk, limits);
    if (last !== undefined) checkCopies(plan, last.previous, walk);
    const archive = writeModelArchive(last?.object ?? Buffer.alloc(0), plan, {
      content: site.content,
      flags: (entry) => racyFlag(entry, site.nowNs()),
      dump,
      cutAnywhere,
    });
    deepStrictEqual(sorted(extract(archive.object)), sorted(treeOf(site, walk, dump)));
    last = archive;
    tally.backups += 1;
    if (plan.mode === "incremental") copies += 1;
    if (plan.copied.database !== undefined) tally.dumpsCopied += 1;
    if (plan.counts.unchanged > plan.counts.copied && plan.counts.copied > 0) tally.repacked += 1;
    if (plan.copied.runs.some((run) => run.frames > run.entries)) tally.spanning += 1;
  }
  // Whoever cuts frames within entries may leave none that could be copied.
  if (!cutAnywhere) ok(copies > 0, "nothing was copied in this history");
  tally.incremental += copies;
}

function planOf(
  previous: PreviousArchive | undefined,
  walk: readonly EntryStat[],
  options: Parameters<ReturnType<typeof createCopyPlanner>["plan"]>[0],
): CopyPlan {
  const planner = createCopyPlanner(previous);
  for (const entry of walk) planner.see(entry);
  return planner.plan(options);
}

/** S3's limits, and every entry either copied or packed. */
function checkLimits(plan: CopyPlan, walk: readonly EntryStat[], limits: History["limits"]): void {
  const { parts } = plan.copied;
  ok(parts.length <= limits.maxCopyParts);
  ok(parts.every((part) => part.bytes >= limits.minCopyBytes && part.bytes <= limits.maxCopyPartBytes));
  const { unchanged, changed, added, copied, files } = plan.counts;
  const isFile = ({ type }: EntryStat): boolean => type === "f" || type === "h";
  deepStrictEqual(files.unchanged + files.changed + files.added, walk.filter(isFile).length);
  deepStrictEqual(
    [parts.reduce((sum, part) => sum + part.bytes, 0), unchanged + changed + added, plan.fresh.count],
    [plan.copied.bytes, walk.length, walk.length - copied],
  );
}

/** The rule that matters most, from the index alone: a copied range touches no entry that is changed, gone or doubtful. */
function checkCopies(plan: CopyPlan, { entries, header }: PreviousArchive, walk: readonly EntryStat[]): void {
  const { runs } = plan.copied;
  const today = new Map(walk.map((entry) => [entry.name, entry]));
  for (let id = 0; id < entries.count(); id += 1) {
    const from = entries.tarOffset(id);
    const end = id + 1 < entries.count() ? entries.tarOffset(id + 1) : header.entries_end;
    const touched = runs.some((run) => from < run.tarOffset + run.tarBytes && end > run.tarOffset);
    const name = entries.name(id);
    if (!touched || name === "database.sql") continue;
    deepStrictEqual(today.get(name), entries.stat(id));
    deepStrictEqual(entries.flags(id), 0);
  }
}

function treeOf(site: ModelSite, walk: readonly EntryStat[], dump: string): Map<string, Extracted> {
  const tree = new Map<string, Extracted>(
    walk.map(({ name, type, mode, uid, mtimeNs, link = "" }) => {
      if (type === "d" || type === "l") return [name, { type, mode, uid, mtimeNs, content: "", link }];
      return [name, { type: "f", mode, uid, mtimeNs, content: site.content(name), link: "" }];
    }),
  );
  return tree.set("database.sql", { type: "f", mode: 0o600, uid: 0, mtimeNs: 0n, content: dump, link: "" });
}

function sorted(tree: ReadonlyMap<string, Extracted>): [string, Extracted][] {
  return [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
}
