// A restore as a terminal's live line, a few times a second.
import { formatBytes, formatSeconds } from "#shared/units.ts";
import type { ExtractProgress } from "./io/restore/extract-archive.ts";
import type { Terminal } from "./io/terminal.ts";

const REDRAW_MS = 250;

export interface ShownExtraction extends Disposable {
  readonly onProgress: (progress: ExtractProgress) => void;
}

/** Disposing removes the line. */
export function showExtraction(terminal: Terminal, label: string): ShownExtraction {
  const startedMs = performance.now();
  let shownMs = Number.NEGATIVE_INFINITY;
  return {
    onProgress({ bytesDone, bytesTotal }) {
      const nowMs = performance.now();
      if (!terminal.isLive || nowMs - shownMs < REDRAW_MS) return;
      shownMs = nowMs;
      const seconds = (nowMs - startedMs) / 1000;
      const left =
        bytesDone === 0 ? "" : `  ${formatSeconds(((bytesTotal - bytesDone) / bytesDone) * seconds)} left`;
      const percent = bytesTotal === 0 ? 100 : (bytesDone / bytesTotal) * 100;
      const line = `${label}  ${percent.toFixed(1)}%  ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${left}`;
      terminal.live(line.slice(0, Math.max(0, terminal.columns - 1)));
    },
    [Symbol.dispose]: () => terminal.live(undefined),
  };
}
