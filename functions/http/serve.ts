// The way of every API call: find the operation, check who calls, check the input, run it, record what was changed,
// answer, log one line. Handlers below this only know checked values.
import middy from "@middy/core";
import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import { BackupError } from "#shared/errors.ts";
import {
  type Answer,
  API_BASE,
  type Body,
  OPERATIONS,
  type Operation,
  type OperationId,
  type Params,
  type Query,
} from "#shared/operations.ts";
import { checkAccess, type Principal, tenantOf } from "../core/principal.ts";
import type { ActivityRecord } from "../core/records.ts";
import { type BaseDeps, type Deps, lazyDeps, type Openers, type Stores } from "../deps.ts";
import { recordsOf } from "../stores/tenant-records.ts";
import { fromContext } from "./authorizer-context.ts";
import { type HttpAnswer, jsonAnswer } from "./http-answer.ts";
import { problemAnswer, publicError } from "./problem.ts";
import { readRequest } from "./read-request.ts";
import { tenantOfTarget } from "./tenant-of-target.ts";

/** What a handler adds to the activity record of its call; never secrets. */
export interface ActivityNote {
  /** Left out: the thing whose id is in the path or the answer. */
  target?: ActivityRecord["target"];
  actor?: ActivityRecord["actor"];
  details: Record<string, unknown>;
}

export interface ApiRequest<K extends OperationId> {
  readonly params: Params<K>;
  readonly query: Query<K>;
  readonly body: Body<K>;
  /** There is none on a public call. */
  readonly principal: Principal | undefined;
  readonly activity: ActivityNote;
}

export type Handle<K extends OperationId, S extends keyof Stores> = (
  request: ApiRequest<K>,
  deps: Deps<S>,
) => Promise<Answer<K>>;
export type Operations<S extends keyof Stores> = { readonly [K in OperationId]?: Handle<K, S> };

export type ApiHandler = (event: APIGatewayProxyEventV2, context: Context) => Promise<HttpAnswer>;

interface Trace {
  operation: string;
  principal: string;
}

/** A Lambda handler for these operations, which work with these stores. */
export function serve<S extends keyof Stores>(openers: Openers<S>, operations: Operations<S>): ApiHandler {
  return lambdaHandler(lazyDeps(openers), async (event, deps, trace) => {
    const { id, operation } = findOperation(operations, event);
    trace.operation = id;
    const principal = operation.access === "public" ? undefined : callerOf(event);
    if (principal !== undefined) trace.principal = `${principal.kind}:${principal.id}`;
    checkAccess(operation, principal);
    const activity: ActivityNote = { details: {} };
    const handle = operations[id] as (request: unknown, deps: Deps<S>) => Promise<unknown>;
    const request = { ...readRequest(operation, event), principal, activity };
    const answer = await handle(request, depsOf(principal, deps));
    if (operation.activity !== undefined)
      await keepActivity(operation.activity, event, answer, principal, activity, deps);
    if (operation.answer === undefined) return { statusCode: operation.status, headers: {} };
    // Parsing also drops whatever the contract does not name, so that no field gets out by accident.
    return jsonAnswer(operation.status, operation.answer.parse(answer));
  });
}

/** middy around `handle`: errors become problem documents, and each request becomes one log line. */
export function lambdaHandler<D extends BaseDeps>(
  getDeps: () => D,
  handle: (event: APIGatewayProxyEventV2, deps: D, trace: Trace) => Promise<HttpAnswer>,
): ApiHandler {
  const traces = new WeakMap<object, Trace & { startedAt: number }>();
  const logLine = (event: APIGatewayProxyEventV2, status: number, error?: BackupError): void => {
    const { startedAt, ...trace } = traces.get(event) ?? { startedAt: performance.now() };
    const line = {
      request_id: event.requestContext.requestId,
      ...trace,
      status,
      ms: Math.round(performance.now() - startedAt),
      ...(error === undefined ? {} : { code: error.code }),
    };
    if (error !== undefined && status >= 500) getDeps().log.error("request failed", { ...line, error });
    else getDeps().log.info("request", line);
  };
  return middy<APIGatewayProxyEventV2, HttpAnswer>()
    .before(({ event }) => {
      traces.set(event, { operation: event.routeKey, principal: "none", startedAt: performance.now() });
    })
    .after(({ event, response }) => {
      if (response) logLine(event, response.statusCode);
    })
    .onError((request) => {
      const error = publicError(request.error);
      const answer = problemAnswer(error, request.event.requestContext.requestId);
      logLine(request.event, answer.statusCode, error);
      request.response = answer;
    })
    .handler(async (event: APIGatewayProxyEventV2) => {
      const deps = getDeps();
      return handle(event, deps, traces.get(event) ?? { operation: event.routeKey, principal: "none" });
    }) as ApiHandler;
}

function findOperation(
  operations: { readonly [K in OperationId]?: unknown },
  event: APIGatewayProxyEventV2,
): { id: OperationId; operation: Operation } {
  // `POST /api/v1/backups/` is a route of its own for the same operation.
  const routeKey = event.routeKey.replace(/(?<=\/.+)\/$/, "");
  for (const id of Object.keys(operations) as OperationId[]) {
    const operation: Operation = OPERATIONS[id];
    if (`${operation.method} ${API_BASE}${operation.path}` === routeKey) return { id, operation };
  }
  throw new BackupError("not_found", { detail: `This function does not serve ${event.routeKey}.` });
}

/** A tenant's operator is served with nothing but the tenant's records. */
function depsOf<S extends keyof Stores>(principal: Principal | undefined, deps: Deps<S>): Deps<S> {
  const tenant = tenantOf(principal);
  const { records } = deps as Partial<Stores>;
  return tenant === undefined || records === undefined
    ? deps
    : { ...deps, records: recordsOf(tenant, records) };
}

function callerOf(event: APIGatewayProxyEventV2): Principal | undefined {
  const { authorizer } = event.requestContext as { authorizer?: { lambda?: unknown } };
  return fromContext(authorizer?.lambda);
}

async function keepActivity(
  action: string,
  event: APIGatewayProxyEventV2,
  answer: unknown,
  principal: Principal | undefined,
  note: ActivityNote,
  deps: BaseDeps & Partial<Stores>,
): Promise<void> {
  const { id, node_id: nodeId } = (answer ?? {}) as { id?: string; node_id?: string };
  const target = note.target ?? {
    kind: action.split(".")[0] ?? action,
    id: event.pathParameters?.id ?? id ?? nodeId ?? "",
  };
  const actor = note.actor ?? {
    kind: principal?.kind ?? "system",
    id: principal?.id ?? "none",
    label: principal?.label ?? "nobody",
  };
  const activity: ActivityRecord = {
    id: deps.randomUuid(),
    at: deps.now().toISOString(),
    actor,
    action,
    target,
    details: note.details,
  };
  try {
    if (deps.records === undefined) throw new Error("a function with activity needs the records");
    const tenant = tenantOf(principal) ?? (await tenantOfTarget(target, deps.records));
    await deps.records.activity.add(tenant === undefined ? activity : { ...activity, tenant });
  } catch (error) {
    // The change is made and cannot be taken back; the log line is then the record.
    deps.log.error("activity record lost", { activity, error });
  }
}
