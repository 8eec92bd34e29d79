// The most memory of this process since a moment. The kernel keeps the peak of a whole process' life, but on Linux it can
// be told to begin anew; where it cannot (another system, /proc read-only), the use is looked at now and then.
import { readFileSync, writeFileSync } from "node:fs";

export interface PeakMemory extends Disposable {
  readonly peakBytes: () => number;
  readonly by: "kernel" | "samples";
}

/** proc(5), /proc/pid/clear_refs: resets VmHWM to what is in use. */
const RESET_PEAK = "5";
const SAMPLE_MS = 100;

/** `proc` is where a process finds itself. */
export function watchPeakMemory(proc = "/proc/self"): PeakMemory {
  try {
    writeFileSync(`${proc}/clear_refs`, RESET_PEAK, { flag: "r+" });
    readPeak(proc);
    return { by: "kernel", peakBytes: () => readPeak(proc), [Symbol.dispose]: () => undefined };
  } catch {
    return sampled();
  }
}

/** Throws where there is no such thing. */
function readPeak(proc: string): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`${proc}/status`, "utf8")) ?? [];
  if (kib === undefined) throw new Error(`${proc}/status has no VmHWM`);
  return Number(kib) * 1024;
}

function sampled(): PeakMemory {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  look();
  const timer = setInterval(look, SAMPLE_MS).unref();
  return {
    by: "samples",
    peakBytes() {
      look();
      return peak;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
