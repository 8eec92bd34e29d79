// What importing each packaged function costs (after `npm run package`): the least of five fresh processes, printed as the
// table of bench/results. Processor time, because a busy machine lengthens everything else.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const DIR = join(import.meta.dirname, "../dist/functions");
const ROUNDS = 5;

const script = (path: string): string => `const { cpuUsage } = process; const start = cpuUsage();
  await import(${JSON.stringify(path)}); const load = cpuUsage(start);
  process.stdout.write(JSON.stringify([start.user + start.system, load.user + load.system]));`;

if (!existsSync(DIR)) {
  console.error("There are no packaged functions: run npm run package first.");
  process.exit(1);
}
console.log("| function | import (ms) | Node's own start (ms) |\n|---|---|---|");
for (const file of readdirSync(DIR).filter((name) => name.endsWith(".mjs"))) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const args = ["--input-type=module", "-e", script(join(DIR, file))];
    return JSON.parse(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout) as [number, number];
  });
  const least = (at: 0 | 1): number => Math.round(Math.min(...rounds.map((round) => round[at])) / 1000);
  console.log(`| ${file.replace(".mjs", "")} | ${least(1)} | ${least(0)} |`);
}
