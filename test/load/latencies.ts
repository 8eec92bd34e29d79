// How long calls took, for the eye: under load a machine's times are told, not asserted.
export interface Latencies {
  measure<T>(what: string, work: () => Promise<T>): Promise<T>;
  table(): string;
}

export function collectLatencies(): Latencies {
  const byWhat = new Map<string, number[]>();
  return {
    async measure(what, work) {
      const started = performance.now();
      const done = await work();
      byWhat.set(what, [...(byWhat.get(what) ?? []), performance.now() - started]);
      return done;
    },
    table() {
      const rows = [...byWhat].map(([what, times]) => {
        const sorted = times.toSorted((a, b) => a - b);
        const at = (share: number): string =>
          (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(0).padStart(6);
        return `${what.padEnd(24)} ${String(sorted.length).padStart(5)} ${at(0.5)} ${at(0.99)} ${at(1)}`;
      });
      return `${"calls, ms".padEnd(24)} count    p50    p99    max\n${rows.join("\n")}\n`;
    },
  };
}
