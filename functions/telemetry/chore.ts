// A function that EventBridge or a queue runs: how long it took is counted by its name.
import type { Context } from "aws-lambda";
import type { BaseDeps, Invocation } from "../deps.ts";
import { type Observed, observed } from "./observed.ts";

export function chore<E extends object, R, D extends BaseDeps>(
  name: string,
  getDeps: () => D,
  work: (event: E, deps: D & Invocation, context: Context) => Promise<R>,
): Observed<E, R> {
  const correlationIdOf = (event: E, context: Context): string =>
    "id" in event && typeof event.id === "string" ? event.id : context.awsRequestId;
  return observed(getDeps, correlationIdOf, async (event, deps: D & Invocation, context) => {
    const startedAtMs = performance.now();
    try {
      return await work(event, deps, context);
    } catch (error) {
      deps.meter.add("ChoreFailures", 1, name);
      throw error;
    } finally {
      deps.meter.add("ChoreSeconds", (performance.now() - startedAtMs) / 1000, name);
    }
  });
}
