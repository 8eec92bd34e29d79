// The one way into every function of the Master, put together with middy: Lambda's context in the log, a trace with what
// the call goes by, and the metrics of the call or event published at its end, also when it fails.
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import type { Count } from "../core/metrics.ts";
import type { BaseDeps, Invocation, Stores } from "../deps.ts";
import { withFields } from "./log.ts";
import { gatherInto, observeCommits } from "./meter.ts";
import { logger } from "./powertools.ts";
import { annotate, traced } from "./tracing.ts";

export type Observed<E, R> = (event: E, context: Context) => Promise<R>;

interface Running<D> {
  readonly deps: D & Invocation;
  readonly counts: Count[];
}

export function observed<E extends object, R, D extends BaseDeps & Partial<Stores>>(
  getDeps: () => D,
  correlationIdOf: (event: E, context: Context) => string,
  handle: (event: E, deps: D & Invocation, context: Context) => Promise<R>,
): Observed<E, R> {
  const running = new WeakMap<object, Running<D>>();
  const begin = ({ event, context }: { event: E; context: Context }): void => {
    // Powertools' own middleware for it would also put the level of the log back to what it was at the import.
    logger.addContext(context);
    const deps = getDeps();
    const correlationId = correlationIdOf(event, context);
    const counts: Count[] = [];
    const meter = gatherInto(counts);
    const { records } = deps;
    running.set(context, {
      counts,
      deps: {
        ...deps,
        ...(records === undefined ? {} : { records: observeCommits(records, meter, correlationId) }),
        ...{ correlationId, meter, log: withFields(deps.log, { correlation_id: correlationId }) },
      },
    });
    annotate("correlation_id", correlationId);
  };
  const end = ({ context }: { context: Context }): void => {
    const one = running.get(context);
    if (one === undefined || one.counts.length === 0) return;
    one.deps.publish(one.counts, { correlation_id: one.deps.correlationId });
  };
  return middy<E, R>()
    .use(traced)
    .use({ before: begin, after: end, onError: end })
    .handler(async (event: E, context: Context) => {
      const one = running.get(context);
      if (one === undefined) throw new Error("an invocation that has not begun");
      return handle(event, one.deps, context);
    }) as Observed<E, R>;
}
