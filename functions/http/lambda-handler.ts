// What every call of the API has around it: errors become problem documents, each answer says what the call goes by in the
// logs, and each request becomes one line of the log and its counts.
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import type { BackupError } from "#shared/errors.ts";
import { CORRELATION_HEADER } from "#shared/headers.ts";
import { correlationOf } from "../core/correlation.ts";
import type { BaseDeps, Invocation } from "../deps.ts";
import { observed } from "../telemetry/observed.ts";
import { annotate, noteFailure } from "../telemetry/tracing.ts";
import type { HttpAnswer } from "./http-answer.ts";
import { problemAnswer, publicError } from "./problem.ts";

export type ApiHandler = (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpAnswer>;

/** What a handler finds out about its call, for the line in the log. */
export interface Trace {
  operation: string;
  principal: string;
  job_id?: string;
}

export function lambdaHandler<D extends BaseDeps>(
  getDeps: () => D,
  handle: (
    event: APIGatewayProxyEventV2,
    deps: D & Invocation,
    trace: Trace,
    context: Context,
  ) => Promise<HttpAnswer>,
): ApiHandler {
  const correlationIdOf = ({ headers, requestContext }: APIGatewayProxyEventV2): string =>
    correlationOf(headers, requestContext.requestId);
  return observed(getDeps, correlationIdOf, async (event, deps: D & Invocation, context) => {
    const startedAtMs = performance.now();
    const trace: Trace = { operation: event.routeKey, principal: "none" };
    const { requestId } = event.requestContext;
    let answer: HttpAnswer;
    let error: BackupError | undefined;
    try {
      answer = await handle(event, deps, trace, context);
    } catch (thrown) {
      error = publicError(thrown);
      answer = problemAnswer(error, requestId);
    }
    const ms = performance.now() - startedAtMs;
    note({ request_id: requestId, ...trace, status: answer.statusCode }, ms, error, deps);
    return { ...answer, headers: { ...answer.headers, [CORRELATION_HEADER]: deps.correlationId } };
  });
}

function note(
  fields: Trace & { readonly request_id: string; readonly status: number },
  ms: number,
  error: BackupError | undefined,
  { log, meter }: Invocation & Pick<BaseDeps, "log">,
): void {
  const line = { ...fields, ms: Math.round(ms), ...(error === undefined ? {} : { code: error.code }) };
  meter.add("Requests");
  meter.add("RequestMs", ms);
  annotate("operation", fields.operation);
  if (error !== undefined) meter.add("RequestErrors", 1, error.code);
  if (error === undefined || fields.status < 500) {
    log.info("request", line);
    return;
  }
  // A refusal is nobody's fault in a trace; a failure of ours is.
  noteFailure(error);
  log.error("request failed", { ...line, error });
}
