// How the site's backups grow and how long they take: the two curves that show trouble before it is one.
import { lazy, type ReactNode, Suspense, useMemo } from "react";
import type { Backup } from "#shared/contracts/backups.ts";
import { bytes, duration } from "../../lib/format.ts";
import { Panel } from "../../ui/panel.tsx";

// The charting library is half as large as React: nobody waits for it to see the backups.
const Chart = lazy(async () => ({ default: (await import("../../ui/chart.tsx")).Chart }));

export function ChartsPanel({ backups }: { backups: readonly Backup[] }): ReactNode {
  const series = useMemo(() => {
    const inOrder = backups.toReversed();
    return {
      times: inOrder.map(({ created_at: at }) => Date.parse(at) / 1000),
      sizes: inOrder.map(({ size_bytes: size }) => size),
      seconds: inOrder.map(({ started_at: a, finished_at: b }) => (Date.parse(b) - Date.parse(a)) / 1000),
    };
  }, [backups]);
  if (backups.length < 2) return null;
  return (
    <div className="columns">
      <Panel title="Size">
        <ChartBox>
          <Chart label="Size of each backup" times={series.times} values={series.sizes} format={bytes} />
        </ChartBox>
      </Panel>
      <Panel title="Duration">
        <ChartBox>
          <Chart
            label="Duration of each backup"
            times={series.times}
            values={series.seconds}
            format={duration}
          />
        </ChartBox>
      </Panel>
    </div>
  );
}

function ChartBox({ children }: { children: ReactNode }): ReactNode {
  return (
    <div className="chart">
      <Suspense fallback={null}>{children}</Suspense>
    </div>
  );
}
