// The way of every API call: find the operation, check who calls, check the input, run it (a POST with a key once), record
// what was changed, answer. Handlers below this only know checked values.
import type { APIGatewayProxyEventV2 } from "aws-lambda";
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
import { type BaseDeps, type Deps, type Invocation, lazyDeps, type Openers, type Stores } from "../deps.ts";
import { recordsOf } from "../stores/tenant-records.ts";
import { fromContext } from "./authorizer-context.ts";
import { type HttpAnswer, jsonAnswer } from "./http-answer.ts";
import { runOnce } from "./idempotency.ts";
import { type ApiHandler, lambdaHandler, type Trace } from "./lambda-handler.ts";
import { readRequest } from "./read-request.ts";
import { tenantOfTarget } from "./tenant-of-target.ts";

export type { ApiHandler } from "./lambda-handler.ts";

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

/** A Lambda handler for these operations, which work with these stores. */
export function serve<S extends keyof Stores>(openers: Openers<S>, operations: Operations<S>): ApiHandler {
  return lambdaHandler(lazyDeps(openers), async (event, deps: Deps<S>, trace, context) => {
    const { id, operation } = findOperation(operations, event);
    trace.operation = id;
    const principal = operation.access === "public" ? undefined : callerOf(event);
    if (principal !== undefined) trace.principal = principalOf(principal);
    checkAccess(operation, principal);
    const input = readRequest(operation, event);
    noteJob(trace, operation, input.params, input.body);
    const run = async (): Promise<HttpAnswer> => {
      const activity: ActivityNote = { details: {} };
      const handle = operations[id] as (request: unknown, deps: Deps<S>) => Promise<unknown>;
      const answer = await handle({ ...input, principal, activity }, depsOf(principal, deps));
      noteJob(trace, operation, undefined, answer);
      if (operation.activity !== undefined)
        await keepActivity(operation.activity, event, answer, principal, activity, deps);
      if (operation.answer === undefined) return { statusCode: operation.status, headers: {} };
      // Parsing also drops whatever the contract does not name, so that no field gets out by accident.
      return jsonAnswer(operation.status, operation.answer.parse(answer));
    };
    if (operation.method !== "POST") return run();
    const caller = `${principalOf(principal)} ${tenantOf(principal) ?? ""}`;
    const call = { headers: event.headers, operation: id, principal: caller, input };
    return runOnce(call, context, deps, run);
  });
}

const principalOf = (principal: Principal | undefined): string =>
  principal === undefined ? "public" : `${principal.kind}:${principal.id}`;

/** The job that the call is about, for its line in the log. */
function noteJob(trace: Trace, operation: Operation, params: unknown, named: unknown): void {
  const isOfJob = operation.path.startsWith("/jobs/{id}");
  const id = isOfJob ? (params as { id?: string } | undefined)?.id : undefined;
  const jobId = id ?? (named as { job_id?: unknown } | null | undefined)?.job_id;
  if (typeof jobId === "string") trace.job_id = jobId;
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
  deps: BaseDeps & Invocation & Partial<Stores>,
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
    correlation_id: deps.correlationId,
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
