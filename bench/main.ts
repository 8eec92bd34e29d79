// `npm run bench`: builds a site, backs it up with us and with what people use today, and holds the result against the
// bars. --json: a line per row; --rows NAME[,NAME]; --rounds N; --dir DIR keeps the site for the next run; --save
// keeps the results.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { warmUp } from "./peers.ts";
import { describeSetting, formatTable, keepResults } from "./report.ts";
import { makeRestoreRows, RESTORE_ROW_NAMES } from "./restore-rows.ts";
import { type MemoryRun, type Round, runLarger, runRound } from "./rounds.ts";
import { makeRows, ROW_NAMES } from "./rows.ts";
import { addTinyFiles, buildSite, USUAL_SITE } from "./site.ts";
import { startWorld, type World } from "./world.ts";

/** Seven times the files: what one of them costs would be lost in the noise of fewer. */
const EXTRA_FILES = 7 * (USUAL_SITE.smallFiles + USUAL_SITE.mediaFiles);

const ALL_ROWS = [...ROW_NAMES, ...RESTORE_ROW_NAMES];

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rows: { type: "string" },
    rounds: { type: "string", default: "3" },
    dir: { type: "string" },
    save: { type: "boolean", default: false },
  },
});

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function wantedRows(): ReadonlySet<string> {
  const names = options.rows?.split(",") ?? ALL_ROWS;
  const unknown = names.filter((name) => !ALL_ROWS.includes(name));
  if (unknown.length > 0) throw new Error(`No row ${unknown.join(", ")}; there are ${ALL_ROWS.join(", ")}`);
  return new Set(names);
}

async function makeSite(world: World, dir: string): Promise<string> {
  const siteDir = join(dir, "site");
  if (!existsSync(siteDir)) {
    say("Building the site …");
    buildSite(siteDir, USUAL_SITE);
  }
  await world.writeConfig(siteDir);
  await warmUp(siteDir);
  return siteDir;
}

async function measureLarger(world: World, siteDir: string): Promise<MemoryRun> {
  say(`With ${EXTRA_FILES} more files …`);
  const tiny = join(siteDir, "wp-content", "uploads", "tiny");
  try {
    addTinyFiles(siteDir, EXTRA_FILES);
    return await runLarger(world, siteDir, EXTRA_FILES);
  } finally {
    await rm(tiny, { recursive: true, force: true });
  }
}

async function main(): Promise<boolean> {
  const wanted = wantedRows();
  const rounds = Number(options.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds is a number from 1");
  const startedAt = new Date();
  const loadBefore = loadavg()[0] ?? 0;
  const scratch = await mkdtemp(join(tmpdir(), "backupd-bench-"));
  try {
    await using world = await startWorld(scratch);
    const siteDir = await makeSite(world, options.dir ?? scratch);
    const done: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      say(`Round ${round} of ${rounds} …`);
      done.push(await runRound(world, siteDir, scratch));
    }
    const larger = wanted.has("rss-per-extra-file") ? await measureLarger(world, siteDir) : undefined;
    const restores = makeRestoreRows(done.map((round) => round.restores));
    const rows = [...makeRows(done, larger), ...restores].filter(({ name }) => wanted.has(name));
    const setting = describeSetting(startedAt, loadBefore, rounds);
    if (options.json) for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
    else process.stdout.write(`${setting.machine}\n\n${formatTable(rows)}\n`);
    if (options.save) say(`Kept in ${keepResults(setting, rows)}`);
    return rows.every(({ ok }) => ok);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

process.exitCode = (await main()) ? 0 : 1;
