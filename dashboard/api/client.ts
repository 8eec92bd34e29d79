// The API as one typed function. Types come from the schemas the Master checks with; at run time there is only the
// table of paths.
import { ROUTES } from "virtual:api-routes";
import { IDEMPOTENCY_HEADER } from "#shared/headers.ts";
import type { Answer, BodyInput, OperationId, Params, Query } from "#shared/operations.ts";
import { noteLost, noteReached } from "./connection.ts";
import { liveToken } from "./keep-session.ts";
import { faultOf, offlineFault } from "./problem.ts";
import { endSession, session } from "./session.ts";

const API_BASE = "/api/v1";

type IfAny<T, Field> = [T] extends [undefined] ? unknown : Field;

export type CallInput<K extends OperationId> = { readonly signal?: AbortSignal } & IfAny<
  Params<K>,
  { readonly params: Params<K> }
> &
  IfAny<Query<K>, { readonly query?: Partial<Query<K>> }> &
  IfAny<BodyInput<K>, { readonly body: BodyInput<K> }>;

interface LooseInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Whether the call may be sent again under an Idempotency-Key without a second effect. */
export function isKeyed(id: OperationId): boolean {
  return ROUTES[id].method === "POST";
}

/** The good answer; throws ApiFault. A 401 also ends the session, so that the page can ask for a new one. */
export async function call<K extends OperationId>(
  id: K,
  input: CallInput<K>,
  idempotencyKey?: string,
): Promise<Answer<K>> {
  const { params = {}, query = {}, body, signal } = input as LooseInput;
  const { method, path } = ROUTES[id];
  const token = await liveToken();
  const response = await fetchOrFault(`${API_BASE}${fill(path, params)}${search(query)}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(idempotencyKey === undefined ? {} : { [IDEMPOTENCY_HEADER]: idempotencyKey }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    credentials: "omit",
  });
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Answer<K>;
  const fault = await faultOf(response);
  // Only the session that the call was made with: a slow answer must not end the one after it.
  if (fault.kind === "session" && token !== undefined && token === session()?.token) endSession("expired");
  throw fault;
}

async function fetchOrFault(url: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, init);
    noteReached();
    return response;
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    noteLost();
    throw offlineFault(error);
  }
}

function fill(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

function search(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}
