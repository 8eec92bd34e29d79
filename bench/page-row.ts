// Makes of the measured front pages the row of their bar. Pure.
import type { PageRound } from "./pages.ts";
import { median, type Row, round3 } from "./rows.ts";

const MAX_RATIO = 1.5;

export const PAGE_ROW = "page-p95";

export function pageRow(rounds: readonly PageRound[]): Row {
  const idle = rounds.flatMap((round) => round.idle);
  const during = rounds.flatMap((round) => round.during);
  const [idleMs, duringMs] = [percentile(idle, 0.95), percentile(during, 0.95)];
  const ratio = duringMs / idleMs;
  return {
    name: PAGE_ROW,
    measured: `p95 ${idleMs.toFixed(0)} ms idle (${idle.length} pages), ${duringMs.toFixed(0)} ms while a backup runs (${during.length}): ${ratio.toFixed(2)} ×`,
    idle_p95_ms: round3(idleMs),
    backup_p95_ms: round3(duringMs),
    idle_median_ms: round3(median(idle)),
    backup_median_ms: round3(median(during)),
    ratio: round3(ratio),
    bar: `≤ ${MAX_RATIO} × idle`,
    ok: ratio <= MAX_RATIO,
    idle_pages: idle.length,
    backup_pages: during.length,
    backup_seconds: rounds.map(({ backupSeconds }) => round3(backupSeconds)),
  };
}

/** The smallest value that so large a share of all does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new RangeError("no values");
  return value;
}
