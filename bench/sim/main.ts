// npm run sim: a fleet's month in some minutes. Nodes have nothing to do with one another, so that each processor takes a
// share of them.
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { readOptions } from "../../scripts/read-options.mjs";
import { checkMonth } from "./checks.ts";
import { costOf, totalOf } from "./cost.ts";
import type { SimOptions } from "./plan.ts";
import { reportMonth } from "./report.ts";
import { addTallies } from "./tally.ts";
import { WATCH_MS, type WorldResult } from "./world.ts";

const HELP = `Usage: npm run sim -- [options]

Simulates a fleet with the Master's real rules (claims, leases, reports, the watch, alerts) and a clock of its own: second
deliveries, crashes, pauses, lost answers, a Master that is away, broken sites, lost schedules, silent nodes. Exit code 1 if
a backup is lost or made twice, a planted failure is not found in time, or somebody is alarmed for nothing.

  --sites N      100000
  --nodes N      5000
  --days N       30
  --seed N       1; the same seed makes the same month
  --workers N    one for each processor
  --json         one JSON object
  --save         writes bench/results/DATE-sim.md
`;

const values = readOptions({
  usage: HELP,
  options: {
    sites: { type: "string", default: "100000" },
    nodes: { type: "string", default: "5000" },
    days: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: String(availableParallelism()) },
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});

function wholeNumber(name: "sites" | "nodes" | "days" | "seed" | "workers", least: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`--${name} takes a whole number from ${least}, not ${values[name]}.`);
  process.exit(2);
}

process.exitCode = await simulate();

async function simulate(): Promise<number> {
  const startedAt = performance.now();
  const fleet = {
    sites: wholeNumber("sites", 1),
    nodes: wholeNumber("nodes", 1),
    days: wholeNumber("days", 2),
    seed: wholeNumber("seed", 0),
  };
  const workers = Math.min(wholeNumber("workers", 1), fleet.nodes);
  const days = Array<number>(workers).fill(0);
  const showDay = (worker: number, day: number): void => {
    days[worker] = day;
    if (process.stderr.isTTY) process.stderr.write(`\rday ${Math.min(...days)} of ${fleet.days} `);
  };
  const worlds = await Promise.all(
    days.map((_, index) =>
      runShare({ ...fleet, share: { index, of: workers } }, (day) => showDay(index, day)),
    ),
  );
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const tally = addTallies(worlds.map((world) => world.tally));
  const endMs = Math.max(...worlds.map((world) => world.endMs));
  const checks = checkMonth(worlds, { days: fleet.days, watchMs: WATCH_MS, endMs });
  // At the month's end, all of it is there: half of that on average.
  const cost = costOf(tally.calls, { ...fleet, storedBytes: tally.storedBytes / 2 });
  const { arrivals: _arrivals, ...counted } = tally;
  const result = {
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}`,
    fleet,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    checks,
    cost,
    cost_without_storage: totalOf(cost, ["S3 storage"]),
    counted,
  };
  const page = reportMonth(result);
  console.log(values.json ? JSON.stringify(result) : page);
  if (values.save) {
    const dir = join(import.meta.dirname, "../results");
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `${result.date.slice(0, 10)}-sim.md`), `${page}\n`);
  }
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

type Word = { readonly day: number } | { readonly result: WorldResult };

function runShare(options: SimOptions, onDay: (day: number) => void): Promise<WorldResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: options });
    worker.on("message", (word: Word) => {
      if ("day" in word) onDay(word.day);
      else resolve(word.result);
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`A worker ended with ${code} and no result`)));
  });
}
