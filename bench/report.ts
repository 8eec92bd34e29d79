// Shows the rows to a person, and keeps each full run in bench/results/ with its date and machine.
import { writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Row } from "./rows.ts";

const RESULTS = join(import.meta.dirname, "results");

export interface Setting {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  /** Before and after: other work on the machine shows here. */
  readonly load_average: readonly number[];
  readonly rounds: number;
}

export function describeSetting(date: Date, loadBefore: number, rounds: number): Setting {
  const [cpu] = cpus();
  return {
    date: date.toISOString(),
    machine: `${cpus().length} × ${cpu?.model ?? "?"}, ${Math.round(totalmem() / 1e9)} GB, ${type()} ${release()}`,
    node: process.version,
    load_average: [loadBefore, loadavg()[0] ?? 0],
    rounds,
  };
}

export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map(
    (row) => `| ${row.name} | ${row.measured} | ${row.bar} | ${row.ok ? "yes" : "**no**"} |`,
  );
  return ["| row | measured | bar | held |", "|---|---|---|---|", ...lines].join("\n");
}

export function keepResults(setting: Setting, rows: readonly Row[]): string {
  const file = join(RESULTS, `${setting.date.replaceAll(":", "").slice(0, 15)}.json`);
  writeFileSync(file, `${JSON.stringify({ ...setting, rows }, null, 2)}\n`);
  const heading = `# Results\n\nOne JSON file per run of \`npm run bench -- --save\`. The latest, ${setting.date}, on ${setting.machine}, Node ${setting.node}, load ${setting.load_average.map((load) => load.toFixed(1)).join(" → ")}, medians of ${setting.rounds}:\n`;
  writeFileSync(join(RESULTS, "README.md"), `${heading}\n${formatTable(rows)}\n${NOTES}`);
  return file;
}

const NOTES = `
backupd runs as it is installed (\`npm run package\`). Times are of whole processes (Node's start included), a job's own
time beside it: a daemon has started long before. All run with backupd's own priority, the lowest, and read a site that
was read just before. The storage of both is our local S3 on the same processors, its work counted in. restic's packs go
there by PutObject with Content-MD5, our parts with a CRC32; restic encrypts and deduplicates, we do not. tar writes to a
file only. Ours and the peer's take turns in who is first and have as many runs that do not count. The front page is asked
for from a process of its own; the storage gives way to it.
`;
