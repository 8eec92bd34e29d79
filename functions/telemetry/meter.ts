// Counting: gathered while one call or event is worked on, and published at its end as one line of EMF for each set of
// dimensions, from which CloudWatch makes the metrics. No call to AWS is needed for that.
import { Metrics } from "@aws-lambda-powertools/metrics";
import { type Count, countsOf, METRICS, type MetricKind, type MetricName } from "../core/metrics.ts";
import type { Records } from "../stores/records.ts";
import type { Fields } from "./log.ts";
import { SERVICE } from "./powertools.ts";

export const NAMESPACE = "Backupd";

export interface Meter {
  add(name: MetricName, value?: number, by?: string): void;
}

/** `about` comes along in the line, for whoever searches the log; it makes no metric. */
export type Publish = (counts: readonly Count[], about: Fields) => void;

export function gatherInto(counts: Count[]): Meter {
  return {
    add(name, value = 1, by) {
      if (value !== 0) counts.push({ name, value, ...(by === undefined ? {} : { by }) });
    },
  };
}

/** Publishes nothing: the local stack's output is for people. */
export const publishNothing: Publish = () => undefined;

export function emfPublisher(stage: string): Publish {
  const metrics = new Metrics({
    namespace: NAMESPACE,
    serviceName: SERVICE,
    defaultDimensions: { stage },
  });
  return (counts, about) => {
    const series = Map.groupBy(counts, ({ name, by = "" }) => `${dimensionOf(name) ?? ""} ${by}`);
    for (const group of series.values()) publishSeries(metrics, group, about);
  };
}

/** Metrics that share one set of dimensions. */
function publishSeries(metrics: Metrics, group: readonly Count[], about: Fields): void {
  const [first] = group;
  const dimension = first && dimensionOf(first.name);
  if (dimension !== undefined) metrics.addDimension(dimension, first?.by ?? "none");
  for (const { name, value } of group) metrics.addMetric(name, METRICS[name].unit, value);
  for (const [key, value] of Object.entries(about)) metrics.addMetadata(key, String(value));
  metrics.publishStoredMetrics();
}

function dimensionOf(name: MetricName): string | undefined {
  const kind: MetricKind = METRICS[name];
  return kind.by;
}

/** The same records; a commit that is written is counted, and its activity carries what the call goes by. */
export function observeCommits(records: Records, meter: Meter, correlationId: string): Records {
  return {
    ...records,
    async commit(step) {
      const { activity } = step;
      const stamped = activity && { activity: { ...activity, correlation_id: correlationId } };
      const isWritten = await records.commit({ ...step, ...stamped });
      if (isWritten) for (const { name, value } of countsOf(step)) meter.add(name, value);
      return isWritten;
    },
  };
}
