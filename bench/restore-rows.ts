// Makes of the measured restores one row per bar. Pure.
import type { RestoreRound } from "./restores.ts";
import { median, megabytes, type Row, round3, timeRow } from "./rows.ts";

const MAX_ONE_FILE_BYTES = 8 * 1024 * 1024;
const MAX_ONE_FILE_SECONDS = 1;
const MAX_RSS_BYTES = 300e6;

export const RESTORE_ROW_NAMES: readonly string[] = ["restore-vs-curl", "restore-rss", "one-file"];

export function makeRestoreRows(rounds: readonly RestoreRound[]): Row[] {
  const peer = "curl to zstd -d to tar -x";
  return [
    timeRow("restore-vs-curl", rounds, peer, 0.8, ({ whole, curlTar }) => [whole, curlTar]),
    rssRow(rounds),
    oneFileRow(rounds),
  ];
}

function rssRow(rounds: readonly RestoreRound[]): Row {
  const rss = median(rounds.map(({ whole }) => whole.peakRssBytes));
  return {
    name: "restore-rss",
    measured: megabytes(rss),
    rss_bytes: rss,
    bar: "≤ 300 MB",
    ok: rss <= MAX_RSS_BYTES,
  };
}

/** The process' own start is counted in: whoever waits for a file waits for it, too. */
function oneFileRow(rounds: readonly RestoreRound[]): Row {
  const bytes = median(rounds.map(({ oneFile }) => oneFile.bytesDownloaded));
  const seconds = median(rounds.map(({ oneFile }) => oneFile.seconds));
  const requests = median(rounds.map(({ oneFile }) => oneFile.requests));
  return {
    name: "one-file",
    measured: `${megabytes(bytes)} in ${requests} requests, ${seconds.toFixed(2)} s`,
    bytes_downloaded: bytes,
    requests,
    seconds: round3(seconds),
    bar: "≤ 8 MiB, ≤ 1 s",
    ok: bytes <= MAX_ONE_FILE_BYTES && seconds <= MAX_ONE_FILE_SECONDS,
  };
}
