// A client of the Master's API for tests: typed calls that throw the problem, and raw requests for everything rude.
import {
  type Answer,
  API_BASE,
  type BodyInput,
  OPERATIONS,
  type Operation,
  type OperationId,
} from "#shared/operations.ts";

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind, also malformed ones
  readonly json: any;
}

export interface RawRequest {
  readonly body?: unknown;
  /** Sent as it is instead of `body` as JSON. */
  readonly rawBody?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CallInput<K extends OperationId> {
  readonly id?: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: BodyInput<K>;
}

export interface ApiClient {
  /** The good answer; throws ProblemError for any other. */
  call<K extends OperationId>(operation: K, input?: CallInput<K>): Promise<Answer<K>>;
  /** Any request; `path` is below /api/v1 when it does not begin with it. */
  request(method: string, path: string, request?: RawRequest): Promise<RawAnswer>;
}

export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Record<string, unknown>;

  constructor(operation: string, status: number, problem: Record<string, unknown>) {
    super(`${operation} answered ${status} ${String(problem.code)}: ${String(problem.detail)}`);
    this.name = "ProblemError";
    this.status = status;
    this.code = String(problem.code);
    this.problem = problem;
  }
}

/** `token` is asked for each request, so that nodes can sign a fresh one. */
export function apiClient(url: string, token: () => Promise<string | undefined>): ApiClient {
  const request: ApiClient["request"] = async (method, path, { body, rawBody, headers = {} } = {}) => {
    const bearer = await token();
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${url}${path.startsWith(API_BASE) ? "" : API_BASE}${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(payload === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    const isJson = text !== "" && /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  };
  return {
    request,
    async call(operationId, { id = "", query = {}, body } = {}) {
      const operation: Operation = OPERATIONS[operationId];
      const search = new URLSearchParams(
        Object.entries(query).map(([name, value]) => [name, String(value)] as [string, string]),
      ).toString();
      const path = `${operation.path.replace("{id}", id)}${search === "" ? "" : `?${search}`}`;
      const answer = await request(operation.method, path, body === undefined ? {} : { body });
      if (answer.status === operation.status) return answer.json;
      throw new ProblemError(
        operationId,
        answer.status,
        answer.json ?? { code: "none", detail: answer.text },
      );
    },
  };
}
