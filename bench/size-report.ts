// Cost against size for people: one table, and the panels of one plot.
import type { Panel, Series } from "./plot.ts";
import type { Setting } from "./report.ts";
import type { OurRun } from "./world.ts";

export interface SizeResult {
  readonly name: string;
  readonly by: "files" | "bytes";
  readonly files: number;
  readonly bytes: number;
  readonly first: OurRun;
  /** Of the unchanged site. */
  readonly second: OurRun;
}

export function formatSizes(setting: Setting, results: readonly SizeResult[]): string {
  const rows = results.flatMap(({ name, first, second }) => [
    row(name, "first", first),
    row("", "unchanged", second),
  ]);
  const load = setting.load_average.map((value) => value.toFixed(1)).join(" → ");
  return `# Cost against size

By \`npm run bench:sizes -- --save\`, ${setting.date}, on ${setting.machine}, Node ${setting.node}, load ${load}, one run each.
Files are of 14 bytes, bytes are in files of 4 MB that do not compress. Seconds and memory are of the whole process, and
the storage is our local S3 on the same processors. Where the load says that the machine had other work, backupd, which
gives way to it, waited: its processor seconds (all threads, the storage's not counted in) are then what compares. The plot is [sizes.svg](sizes.svg).

| site | backup | mode | seconds | processor seconds | peak RSS MB | MB sent | requests |
|---|---|---|---|---|---|---|---|
${rows.join("\n")}

A copied range is 5 MiB at least, so that a site that compresses to less is packed in full each time.
`;
}

function row(name: string, which: string, run: OurRun): string {
  const { seconds, cpuSeconds, peakRssBytes, bytesSent, backup } = run;
  const numbers = [
    seconds.toFixed(2),
    cpuSeconds.toFixed(2),
    (peakRssBytes / 1e6).toFixed(0),
    (bytesSent / 1e6).toFixed(2),
  ];
  return `| ${[name, which, backup.archive.mode, ...numbers, backup.archive.requests].join(" | ")} |`;
}

/** Seconds and memory by files, then by bytes. */
export function sizePanels(results: readonly SizeResult[]): Panel[] {
  const panelsOf = (by: SizeResult["by"], x: (result: SizeResult) => number, xUnit: string): Panel[] => {
    const of = results.filter((result) => result.by === by);
    if (of.length === 0) return [];
    const series = (y: (run: OurRun) => number): Series[] => [
      { name: "first", color: "#c2410c", points: of.map((result) => [x(result), y(result.first)]) },
      { name: "unchanged", color: "#1d4ed8", points: of.map((result) => [x(result), y(result.second)]) },
    ];
    return [
      {
        title: `Time by ${by}`,
        xUnit,
        yUnit: "processor seconds",
        series: series(({ cpuSeconds }) => cpuSeconds),
      },
      {
        title: `Memory by ${by}`,
        xUnit,
        yUnit: "MB",
        series: series(({ peakRssBytes }) => peakRssBytes / 1e6),
      },
    ];
  };
  return [
    ...panelsOf("files", ({ files }) => files, "files"),
    ...panelsOf("bytes", ({ bytes }) => bytes / 1e9, "GB"),
  ];
}
