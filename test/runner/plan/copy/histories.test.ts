// The promise of the incremental: whatever happened to the site, extracting backup N gives the tree of backup N, and
// nothing changed or deleted is ever copied. Random histories against a model of the file system and of tar.
import fc from "fast-check";
import { expect, it } from "vitest";
import { type CopyPlan, createCopyPlanner } from "#runner/plan/copy/plan-copies.ts";
import type { PreviousArchive } from "#runner/plan/copy/previous-archive.ts";
import { racyFlag } from "#runner/plan/copy/racy.ts";
import type { EntryStat } from "#shared/format/index-entry.ts";
import { type Extracted, extract, type ModelArchive, sha256, writeModelArchive } from "./model-archive.ts";
import { createModelSite, type ModelSite, ROOT } from "./model-site.ts";

interface Step {
  readonly act: (typeof ACTS)[number];
  readonly a: number;
  readonly b: number;
  readonly secondsBefore: number;
  readonly backup: boolean;
}
const ACTS = [
  "add",
  "add",
  "addMany",
  "rewrite",
  "grow",
  "chmod",
  "touch",
  "rename",
  "remove",
  "mkdir",
  "swapType",
  "symlink",
  "link",
  "link",
  "dump",
  "nothing",
] as const;

const history = fc.record({
  minCopyBytes: fc.constantFrom(1, 2048, 9000, 20_000),
  maxCopyPartBytes: fc.constantFrom(5000, 50_000, 1e9),
  maxCopyParts: fc.constantFrom(1, 3, 1000),
  cutAnywhere: fc.boolean(),
  steps: fc.array(
    fc.record<Step>({
      act: fc.constantFrom(...ACTS),
      a: fc.nat(1000),
      b: fc.nat(1000),
      secondsBefore: fc.constantFrom(0, 0, 1, 10),
      backup: fc.boolean(),
    }),
    { minLength: 5, maxLength: 40 },
  ),
});

it("extracts to exactly the tree after every backup of any history", () => {
  let backups = 0;
  let incremental = 0;
  let repacked = 0;
  let dumpsCopied = 0;
  fc.assert(
    fc.property(history, (input) => {
      const limits = { ...input, maxCopyPartBytes: Math.max(input.maxCopyPartBytes, 2 * input.minCopyBytes) };
      const site = createModelSite();
      let dump = "-- dump 0";
      let last: ModelArchive | undefined;
      site.write("wp-config.php", 300);
      for (let n = 0; n < 12; n += 1) site.write(`${ROOT}/f${n}`, (n * 977) % 6000);
      for (const step of [...input.steps, { ...STILL, backup: true }, { ...STILL, backup: true }]) {
        site.pass(step.secondsBefore);
        if (step.act === "dump") dump = `-- dump ${step.a}`.repeat(1 + (step.b % 900));
        else act(site, step);
        if (!step.backup) continue;
        const walk = site.walk();
        const plan = planOf(last?.previous, walk, { ...limits, dumpSha256: sha256(dump) });
        checkPlan(plan, last?.previous, walk, limits);
        const archive = writeModelArchive(last?.object ?? Buffer.alloc(0), plan, {
          content: site.content,
          flags: (entry) => racyFlag(entry, site.nowNs()),
          dump,
          cutAnywhere: input.cutAnywhere,
        });
        expect(sortedTree(extract(archive.object))).toEqual(expectedTree(site, walk, dump));
        last = archive;
        backups += 1;
        if (plan.mode === "incremental") incremental += 1;
        if (plan.copied.database !== undefined) dumpsCopied += 1;
        if (plan.counts.unchanged > plan.counts.copied && plan.counts.copied > 0) repacked += 1;
      }
    }),
    { numRuns: 400 },
  );
  expect(incremental / backups).toBeGreaterThan(0.25);
  expect(repacked).toBeGreaterThan(40);
  expect(dumpsCopied).toBeGreaterThan(40);
});

const STILL: Step = { act: "nothing", a: 0, b: 0, secondsBefore: 10, backup: true };

function planOf(
  previous: PreviousArchive | undefined,
  walk: readonly EntryStat[],
  options: Parameters<ReturnType<typeof createCopyPlanner>["plan"]>[0],
): CopyPlan {
  const planner = createCopyPlanner(previous);
  for (const entry of walk) planner.see(entry);
  return planner.plan(options);
}

/** S3's limits, and the rule that matters most, judged from the index alone. */
function checkPlan(
  plan: CopyPlan,
  previous: PreviousArchive | undefined,
  walk: readonly EntryStat[],
  limits: { minCopyBytes: number; maxCopyPartBytes: number; maxCopyParts: number },
): void {
  const { parts, runs } = plan.copied;
  expect(parts.length).toBeLessThanOrEqual(limits.maxCopyParts);
  expect(parts.every((part) => part.bytes >= limits.minCopyBytes)).toBe(true);
  expect(parts.every((part) => part.bytes <= limits.maxCopyPartBytes)).toBe(true);
  expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(plan.copied.bytes);
  const { unchanged, changed, added, copied } = plan.counts;
  expect(unchanged + changed + added).toBe(walk.length);
  expect(plan.fresh.count).toBe(walk.length - copied);
  if (previous === undefined) return;
  const today = new Map(walk.map((entry) => [entry.name, entry]));
  for (let id = 0; id < previous.entries.count(); id += 1) {
    const from = previous.entries.tarOffset(id);
    const end =
      id + 1 < previous.entries.count() ? previous.entries.tarOffset(id + 1) : previous.header.entries_end;
    const touched = runs.some((run) => from < run.tarOffset + run.tarBytes && end > run.tarOffset);
    const name = previous.entries.name(id);
    if (!touched || name === "database.sql") continue;
    expect(today.get(name)).toEqual(previous.entries.stat(id));
    expect(previous.entries.flags(id)).toBe(0);
  }
}

function act(site: ModelSite, { act: kind, a, b }: Step): void {
  const pick = (names: readonly string[]): string | undefined => names[a % Math.max(1, names.length)];
  const directory = site.directories()[b % site.directories().length] ?? ROOT;
  const fresh = `${directory}/n${a % 40}`;
  const file = pick(site.files());
  const anything = pick(
    site
      .walk()
      .map((entry) => entry.name)
      .filter((name) => name !== ROOT),
  );
  if (kind === "addMany") {
    for (let n = 0; n < a % 20; n += 1) site.write(`${ROOT}/m${(a + n) % 60}`, (n * b) % 9000);
    return;
  }
  if (kind === "add" && !site.has(fresh)) site.write(fresh, (a * b) % 20_000);
  if (kind === "mkdir" && !site.has(fresh)) site.mkdir(fresh);
  if (kind === "symlink") {
    if (site.has(fresh)) site.remove(fresh);
    site.symlink(fresh, `../t${b % 3}`);
  }
  if (anything === undefined) return;
  if (kind === "chmod") site.chmod(anything, 0o600 + (b % 0o200));
  if (kind === "touch") site.touch(anything, (b % 3) * 1000 - 1000);
  if (kind === "remove") site.remove(anything);
  if (kind === "rename" && !site.has(fresh) && !fresh.startsWith(`${anything}/`))
    site.rename(anything, fresh);
  if (kind === "swapType") {
    const wasDirectory = site.directories().includes(anything);
    site.remove(anything);
    if (wasDirectory) site.write(anything, b * 5);
    else {
      site.mkdir(anything);
      site.write(`${anything}/inner`, b);
    }
  }
  if (file === undefined) return;
  if (kind === "rewrite") site.rewrite(file);
  if (kind === "grow") site.write(file, site.content(file).length + b * 20);
  if (kind === "link" && !site.has(fresh)) site.link(fresh, file);
}

function expectedTree(site: ModelSite, walk: readonly EntryStat[], dump: string): [string, Extracted][] {
  const tree = new Map<string, Extracted>(
    walk.map((entry) => {
      const isFile = entry.type === "f" || entry.type === "h";
      const content = isFile ? site.content(entry.name) : "";
      const link = entry.type === "l" ? (entry.link ?? "") : "";
      const type = isFile ? "f" : entry.type;
      return [entry.name, { type, mode: entry.mode, mtimeNs: entry.mtimeNs, content, link }];
    }),
  );
  tree.set("database.sql", { type: "f", mode: 0o600, mtimeNs: 0n, content: dump, link: "" });
  return sortedTree(tree);
}

function sortedTree(tree: ReadonlyMap<string, Extracted>): [string, Extracted][] {
  return [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
}
