// Makes of the measured rounds one row per bar: medians, the ratio, the bar and whether it is held. Pure.
import {
  type MeasuredRun,
  type MemoryRun,
  NEW_FILE_BYTES,
  NEW_FILES,
  type Ours,
  type Round,
} from "./rounds.ts";
import type { OurRun } from "./world.ts";

export interface Row {
  readonly name: string;
  readonly ok: boolean;
  readonly bar: string;
  /** The outcome in words. */
  readonly measured: string;
  readonly [fact: string]: string | number | boolean | readonly number[];
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const PER_FILE_ROW = "rss-per-extra-file";

export const ROW_NAMES: readonly string[] = [
  "full-vs-tar",
  "full-vs-restic",
  "unchanged-vs-restic",
  "unchanged-bytes-sent",
  "new-files-bytes-sent",
  "new-files-vs-restic",
  "peak-rss",
  PER_FILE_ROW,
];

export function makeRows(rounds: readonly Round[]): Row[] {
  return [
    timeRow("full-vs-tar", rounds, "tar to zstd -3 -T0 to a file", 1.15, ({ ours, peers }) => [
      ours.first,
      peers.tar,
    ]),
    timeRow("full-vs-restic", rounds, "restic backup", 0.8, ({ ours, peers }) => [ours.first, peers.first]),
    timeRow("unchanged-vs-restic", rounds, "restic backup", 0.5, ({ ours, peers }) => [
      ours.unchanged,
      peers.unchanged,
    ]),
    bytesRow(
      "unchanged-bytes-sent",
      rounds,
      "DB dump + index + 64 KiB",
      64 * KIB,
      ({ unchanged }) => unchanged,
    ),
    bytesRow(
      "new-files-bytes-sent",
      rounds,
      "1.1 × new bytes + DB dump + index + 5 MiB",
      1.1 * NEW_FILES * NEW_FILE_BYTES + 5 * MIB,
      ({ newFiles }) => newFiles,
    ),
    timeRow("new-files-vs-restic", rounds, "restic backup", undefined, ({ ours, peers }) => [
      ours.newFiles,
      peers.newFiles,
    ]),
    rssRow(rounds),
  ];
}

/** Ours is the time of the whole process, as the peer's is; the job alone is what a daemon takes. */
export function timeRow<R>(
  name: string,
  rounds: readonly R[],
  peer: string,
  bar: number | undefined,
  pick: (round: R) => readonly [Pick<OurRun, "seconds" | "jobSeconds">, number],
): Row {
  const ours = rounds.map((round) => pick(round)[0]);
  const peerSeconds = median(rounds.map((round) => pick(round)[1]));
  const ourSeconds = median(ours.map(({ seconds }) => seconds));
  const jobSeconds = median(ours.map(({ jobSeconds }) => jobSeconds));
  const ratio = ourSeconds / peerSeconds;
  return {
    name,
    measured: `${round2(ourSeconds)} s (job ${round2(jobSeconds)} s), ${peer} ${round2(peerSeconds)} s: ${round2(ratio)} × (job ${round2(jobSeconds / peerSeconds)} ×)`,
    ours_seconds: round3(ourSeconds),
    peer,
    peer_seconds: round3(peerSeconds),
    ratio: round3(ratio),
    bar: bar === undefined ? "none" : `≤ ${bar}`,
    ok: bar === undefined || ratio <= bar,
    ours_job_seconds: round3(jobSeconds),
    job_ratio: round3(jobSeconds / peerSeconds),
    ours_all: ours.map(({ seconds }) => round3(seconds)),
    peer_all: rounds.map((round) => round3(pick(round)[1])),
  };
}

function bytesRow(
  name: string,
  rounds: readonly Round[],
  words: string,
  allowance: number,
  pick: (ours: Ours) => MeasuredRun,
): Row {
  const runs = rounds.map(({ ours }) => pick(ours));
  const sent = median(runs.map(({ bytesSent }) => bytesSent));
  // The dump as it is sent, compressed.
  const most = median(
    runs.map(({ dumpStoredBytes, backup }) => dumpStoredBytes + backup.archive.index_bytes + allowance),
  );
  const sizeBytes = median(runs.map(({ backup }) => backup.size_bytes));
  return {
    name,
    measured: `${megabytes(sent)} sent for ${megabytes(sizeBytes)}; ${megabytes(most)} allowed`,
    bytes_sent: sent,
    bar: `≤ ${words}`,
    bar_bytes: Math.floor(most),
    ok: sent <= most,
    size_bytes: sizeBytes,
  };
}

const MAX_RSS_BYTES = 300e6;
const MAX_BYTES_PER_FILE = 600;

function peaks(rounds: readonly Round[]): { readonly first: number; readonly unchanged: number } {
  return {
    first: median(rounds.map(({ ours }) => ours.first.peakRssBytes)),
    unchanged: median(rounds.map(({ ours }) => ours.unchanged.peakRssBytes)),
  };
}

function rssRow(rounds: readonly Round[]): Row {
  const { first, unchanged } = peaks(rounds);
  const most = Math.max(first, unchanged);
  return {
    name: "peak-rss",
    measured: `${megabytes(first)} first, ${megabytes(unchanged)} unchanged`,
    rss_bytes: most,
    bar: "≤ 300 MB",
    ok: most <= MAX_RSS_BYTES,
    first_rss_bytes: first,
    unchanged_rss_bytes: unchanged,
  };
}

export function perFileRow(rounds: readonly Round[], larger: MemoryRun): Row {
  const small = peaks(rounds);
  const perFile = (large: number, usual: number): number =>
    Math.round(Math.max(0, large - usual) / larger.extraFiles);
  const first = perFile(larger.firstBytes, small.first);
  const unchanged = perFile(larger.unchangedBytes, small.unchanged);
  const most = Math.max(first, unchanged);
  return {
    name: PER_FILE_ROW,
    measured: `${first} B in a first backup, ${unchanged} B in an incremental one, with ${larger.extraFiles} files and ${(larger.extraBytes / 1e9).toFixed(1)} GB more`,
    bytes_per_file: most,
    bar: `≤ ${MAX_BYTES_PER_FILE} B, and nothing for bytes`,
    ok: most <= MAX_BYTES_PER_FILE,
    extra_files: larger.extraFiles,
    extra_bytes: larger.extraBytes,
    first_bytes_per_file: first,
    unchanged_bytes_per_file: unchanged,
    first_seconds: round3(larger.firstSeconds),
    unchanged_seconds: round3(larger.unchangedSeconds),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("no values");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function round2(value: number): string {
  return value.toFixed(2);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

export function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
