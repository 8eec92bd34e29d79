// What all backups use, day by day: whether it grows is seen here before the bill says it.
import { lazy, type ReactNode, Suspense, useMemo } from "react";
import type { StorageSummary } from "#shared/contracts/upkeep.ts";
import { bytes, count } from "../../lib/format.ts";
import { Panel } from "../../ui/panel.tsx";

const Chart = lazy(async () => ({ default: (await import("../../ui/chart.tsx")).Chart }));

export function StoragePanel({ summary }: { summary: StorageSummary | undefined }): ReactNode {
  const series = useMemo(() => {
    const days = summary?.days ?? [];
    return {
      times: days.map(({ date }) => Date.parse(date) / 1000),
      stored: days.map((day) => day.bytes),
    };
  }, [summary]);
  return (
    <Panel
      title="Stored in all"
      aside={
        summary === undefined ? null : (
          <span className="muted">
            {bytes(summary.total.bytes)} in {count(summary.total.backups, "backup")}
          </span>
        )
      }
    >
      <div className="chart">
        {series.times.length < 2 ? (
          <p className="muted">{summary === undefined ? "" : "The curve begins on the second day."}</p>
        ) : (
          <Suspense fallback={null}>
            <Chart label="Bytes stored each day" times={series.times} values={series.stored} format={bytes} />
          </Suspense>
        )}
      </div>
    </Panel>
  );
}
