// `npm run bench:sizes`: what a backup costs against the size of the site, by files (1,000 to a million of 1 KB) and
// by bytes (0.1 to 10 GB in files of 4 MB that do not compress): seconds, memory, bytes and requests, for a first
// backup and for one of the unchanged site. What it takes: scripts/bench-options.mjs.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BENCH_SIZES } from "../scripts/bench-options.mjs";
import { readOptions } from "../scripts/read-options.mjs";
import { runMain } from "../scripts/setup.mjs";
import { SetupError } from "../scripts/setup-error.mjs";
import { plotSvg } from "./plot.ts";
import { describeSetting } from "./report.ts";
import { addMedia } from "./site.ts";
import { costOf, formatSizes, mergeResults, type SizeResult, sizePanels } from "./size-report.ts";
import { startWorld, type World } from "./world.ts";

interface Size {
  readonly name: string;
  readonly by: "files" | "bytes";
  readonly files: number;
  readonly bytes: number;
  readonly build: (siteDir: string) => void;
}

const MEDIA_BYTES = 4_000_000;
const SMALL_BYTES = 1_000;
const RESULTS = join(import.meta.dirname, "results");
/** The site, its archive, and some room for what is else on the machine. */
const NEEDED_BYTES = 25e9;
/** So that every file's stat proves that it has not changed since. */
const SETTLE_MS = 2_500;

/** What takes longest comes last. */
const SIZES: readonly Size[] = [
  ...[1_000, 10_000, 100_000].map((files) => byFiles(files)),
  ...[0.1e9, 1e9, 10e9].map((bytes) => byBytes(bytes)),
  byFiles(1_000_000),
];

function byFiles(files: number): Size {
  const build = (siteDir: string): void => void addMedia(siteDir, "small", files, SMALL_BYTES);
  return {
    name: `${files} files`.replace(/000000 /, "M ").replace(/000 /, "k "),
    by: "files",
    files,
    bytes: files * SMALL_BYTES,
    build,
  };
}

function byBytes(bytes: number): Size {
  const files = Math.round(bytes / MEDIA_BYTES);
  const build = (siteDir: string): void => void addMedia(siteDir, "media", files, MEDIA_BYTES);
  return { name: `${bytes / 1e9} GB`, by: "bytes", files, bytes, build };
}

const options = readOptions(BENCH_SIZES);

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function wanted(): readonly Size[] {
  const names = options.only?.split(",");
  const unknown = names?.filter((name) => !SIZES.some((size) => size.name === name)) ?? [];
  if (unknown.length > 0)
    throw new SetupError(`No ${unknown.join(", ")}; there are ${SIZES.map(({ name }) => name).join(", ")}`);
  return SIZES.filter(({ name }) => names?.includes(name) ?? true);
}

async function measure(world: World, scratch: string, size: Size): Promise<SizeResult> {
  const siteDir = join(scratch, "site");
  try {
    const startedMs = performance.now();
    size.build(siteDir);
    await world.writeConfig(siteDir);
    say(`${size.name}: built in ${Math.round((performance.now() - startedMs) / 1000)} s`);
    await sleep(SETTLE_MS);
    const siteId = await world.register(siteDir);
    const first = await world.backUp(siteId);
    say(`${size.name}: first ${first.seconds.toFixed(1)} s, ${Math.round(first.peakRssBytes / 1e6)} MB`);
    const second = await world.backUp(siteId);
    say(
      `${size.name}: unchanged ${second.seconds.toFixed(1)} s, ${Math.round(second.peakRssBytes / 1e6)} MB`,
    );
    await world.forget(siteId);
    const { name, by, files, bytes } = size;
    const setting = { date: new Date().toISOString(), load_average: loadavg()[0] ?? 0 };
    return { name, by, files, bytes, ...setting, first: costOf(first), unchanged: costOf(second) };
  } finally {
    await rm(siteDir, { recursive: true, force: true });
    await world.empty(world.stack.bucket);
  }
}

const { machine } = describeSetting(new Date(), 0, 1);

async function main(): Promise<void> {
  const sizes = wanted();
  const { bavail, bsize } = await statfs(options.dir);
  if (bavail * bsize < NEEDED_BYTES)
    throw new SetupError(`${options.dir} has less than 25 GB free; name another by --dir`);
  const scratch = await mkdtemp(join(options.dir, "backupd-sizes-"));
  const fresh: SizeResult[] = [];
  try {
    await using world = await startWorld(scratch);
    for (const size of sizes) {
      fresh.push(await measure(world, scratch, size));
      if (options.save) keep(fresh); // At once: the next one may take long, or all the disk.
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  process.stdout.write(formatSizes(machine, fresh));
}

/** Beside the sizes that were measured before. */
function keep(fresh: readonly SizeResult[]): void {
  const file = join(RESULTS, "sizes.json");
  const old = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as SizeResult[]) : [];
  const results = mergeResults(old, fresh);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(RESULTS, "sizes.md"), formatSizes(machine, results));
  writeFileSync(join(RESULTS, "sizes.svg"), plotSvg(sizePanels(results)));
}

await runMain(async () => {
  await main();
  return 0;
});
