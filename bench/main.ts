// `npm run bench`: builds a site, backs it up with us and with what people use today, and holds the result against the
// bars. What it takes: scripts/bench-options.mjs.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { BENCH } from "../scripts/bench-options.mjs";
import { readOptions } from "../scripts/read-options.mjs";
import { runMain } from "../scripts/setup.mjs";
import { SetupError } from "../scripts/setup-error.mjs";
import { PAGE_ROW, pageRow } from "./page-row.ts";
import { runPages } from "./pages.ts";
import { warmUp } from "./peers.ts";
import { describeSetting, formatTable, keepResults } from "./report.ts";
import { makeRestoreRows, RESTORE_ROW_NAMES } from "./restore-rows.ts";
import { type MemoryRun, type Round, runLarger, runRound } from "./rounds.ts";
import { makeRows, PER_FILE_ROW, perFileRow, ROW_NAMES, type Row } from "./rows.ts";
import { ensureSite, growSite, SMALL_SITE, USUAL_SITE } from "./site.ts";
import { startWorld, type World } from "./world.ts";

const TIMES_LARGER = 8;

const ALL_ROWS = [...ROW_NAMES, ...RESTORE_ROW_NAMES, PAGE_ROW];

const options = readOptions(BENCH);

const size = options.small ? SMALL_SITE : USUAL_SITE;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function wantedRows(): ReadonlySet<string> {
  const names = options.rows?.split(",") ?? ALL_ROWS;
  const unknown = names.filter((name) => !ALL_ROWS.includes(name));
  if (unknown.length > 0)
    throw new SetupError(`No row ${unknown.join(", ")}; there are ${ALL_ROWS.join(", ")}`);
  return new Set(names);
}

async function makeSite(world: World, dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const siteDir = ensureSite(dir, size, say);
  await world.writeConfig(siteDir);
  await warmUp(siteDir);
  return siteDir;
}

async function measureLarger(world: World, siteDir: string): Promise<MemoryRun> {
  say(`${TIMES_LARGER} times as large …`);
  const more = join(siteDir, "wp-content", "uploads", "more");
  try {
    return await runLarger(world, siteDir, () => growSite(siteDir, more, size, TIMES_LARGER));
  } finally {
    await rm(more, { recursive: true, force: true });
  }
}

/** Rows as they come: what was measured is there, whatever happens to the rest. */
async function* measure(world: World, scratch: string, rounds: number): AsyncGenerator<Row> {
  const wanted = wantedRows();
  if ([...wanted].some((name) => name !== PAGE_ROW)) {
    const siteDir = await makeSite(world, options.dir ?? scratch);
    const done: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      say(`Round ${round} of ${rounds} …`);
      done.push(await runRound(world, { siteDir, dir: scratch, isPeerFirst: round % 2 === 0 }));
    }
    yield* makeRows(done);
    yield* makeRestoreRows(done.map((round) => round.restores));
    if (wanted.has(PER_FILE_ROW)) yield perFileRow(done, await measureLarger(world, siteDir));
  }
  if (wanted.has(PAGE_ROW)) {
    say("WordPress' front page, idle and while a backup runs …");
    yield pageRow(await runPages(world, scratch, size, rounds));
  }
}

async function main(): Promise<boolean> {
  wantedRows();
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new SetupError("--rounds is a number from 1");
  if (options.small && options.save) throw new SetupError("What --small measures is no result to --save");
  const startedAt = new Date();
  const loadBefore = loadavg()[0] ?? 0;
  const scratch = await mkdtemp(join(tmpdir(), "backupd-bench-"));
  try {
    await using world = await startWorld(scratch);
    const rows: Row[] = [];
    for await (const row of measure(world, scratch, rounds)) {
      if (!wantedRows().has(row.name)) continue;
      rows.push(row);
      if (options.json) process.stdout.write(`${JSON.stringify(row)}\n`);
    }
    const setting = describeSetting(startedAt, loadBefore, rounds);
    if (!options.json) process.stdout.write(`${setting.machine}\n\n${formatTable(rows)}\n`);
    if (options.save) say(`Kept in ${keepResults(setting, rows)}`);
    return rows.every(({ ok }) => ok);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

await runMain(async () => ((await main()) ? 0 : 1));
