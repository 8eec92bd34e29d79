// Cost against size for people: one table, and the panels of one plot, from results that are kept as JSON.
import type { Panel, Series } from "./plot.ts";
import type { OurRun } from "./world.ts";

export interface Cost {
  readonly mode: "full" | "incremental";
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly peak_rss_bytes: number;
  readonly bytes_sent: number;
  readonly requests: number;
}

export interface SizeResult {
  readonly name: string;
  readonly by: "files" | "bytes";
  readonly files: number;
  readonly bytes: number;
  readonly date: string;
  /** Of the machine, when it ended. */
  readonly load_average: number;
  readonly first: Cost;
  /** Of the unchanged site. */
  readonly unchanged: Cost;
}

export function costOf({ seconds, cpuSeconds, peakRssBytes, bytesSent, backup }: OurRun): Cost {
  const { mode, requests } = backup.archive;
  return {
    mode,
    seconds: Math.round(seconds * 100) / 100,
    cpu_seconds: cpuSeconds,
    peak_rss_bytes: peakRssBytes,
    bytes_sent: bytesSent,
    requests,
  };
}

/** The old results with the new ones in place of those of the same size, small ones first. */
export function mergeResults(old: readonly SizeResult[], fresh: readonly SizeResult[]): SizeResult[] {
  const kept = old.filter(({ name }) => !fresh.some((result) => result.name === name));
  const rank = ({ by, files, bytes }: SizeResult): number => (by === "files" ? files / 1e12 : bytes);
  return [...kept, ...fresh].sort((a, b) => rank(a) - rank(b));
}

export function formatSizes(machine: string, results: readonly SizeResult[]): string {
  const rows = results.flatMap(({ name, first, unchanged, load_average }) => [
    row(name, "first", first, load_average),
    row("", "unchanged", unchanged, load_average),
  ]);
  return `# Cost against size

By \`npm run bench:sizes -- --save\` on ${machine}, one run each. Many files are of 1 KB, many bytes are in files of 4 MB;
neither compresses. Seconds and memory are of the whole process, and the storage is our local S3 on the same processors.
backupd gives way to other work: where the load average shows that there was some, its processor seconds (all threads,
the storage's not counted in) are what compares. The plot is [sizes.svg](sizes.svg), the numbers are [sizes.json](sizes.json).

| site | backup | mode | seconds | processor seconds | peak RSS MB | MB sent | requests | load |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

A copied range is 5 MiB at least, so that a site that compresses to less is packed in full each time.
`;
}

function row(name: string, which: string, cost: Cost, load: number): string {
  const { mode, seconds, cpu_seconds, peak_rss_bytes, bytes_sent, requests } = cost;
  const bytes = [(peak_rss_bytes / 1e6).toFixed(0), (bytes_sent / 1e6).toFixed(2)];
  const cells = [
    name,
    which,
    mode,
    seconds.toFixed(2),
    cpu_seconds.toFixed(2),
    ...bytes,
    requests,
    load.toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Seconds and memory by files, then by bytes. */
export function sizePanels(results: readonly SizeResult[]): Panel[] {
  const panelsOf = (by: SizeResult["by"], x: (result: SizeResult) => number, xUnit: string): Panel[] => {
    const of = results.filter((result) => result.by === by);
    if (of.length === 0) return [];
    const series = (y: (cost: Cost) => number): Series[] => [
      { name: "first", color: "#c2410c", points: of.map((result) => [x(result), y(result.first)]) },
      { name: "unchanged", color: "#1d4ed8", points: of.map((result) => [x(result), y(result.unchanged)]) },
    ];
    return [
      {
        title: `Time by ${by}`,
        xUnit,
        yUnit: "processor seconds",
        series: series(({ cpu_seconds }) => cpu_seconds),
      },
      {
        title: `Memory by ${by}`,
        xUnit,
        yUnit: "MB",
        series: series(({ peak_rss_bytes }) => peak_rss_bytes / 1e6),
      },
    ];
  };
  return [
    ...panelsOf("files", ({ files }) => files, "files"),
    ...panelsOf("bytes", ({ bytes }) => bytes / 1e9, "GB"),
  ];
}
