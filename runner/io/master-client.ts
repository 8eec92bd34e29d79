// The Master as the runner sees it: one typed function over the table of operations. Whatever goes wrong comes
// out as a BackupError that tells an operator what to do; retrying is retrying-master.ts' business.
import type { z } from "zod";
import { BackupError } from "#shared/errors.ts";
import { CORRELATION_HEADER, IDEMPOTENCY_HEADER } from "#shared/headers.ts";
import {
  type Answer,
  API_BASE,
  type BodyInput,
  OPERATIONS,
  type Operation,
  type OperationId,
  type Params,
  type QueryInput,
} from "#shared/operations.ts";
import { callHttp, type HttpAnswer } from "./http-call.ts";
import { networkError } from "./network-error.ts";
import { problemError } from "./problem.ts";

type IfAny<T, Field> = [T] extends [undefined] ? unknown : Field;

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** Of a POST that may be sent again: a random UUID. */
  readonly idempotencyKey?: string;
  /** What the work that the call belongs to goes by, in the logs of both sides. */
  readonly correlationId?: string;
}

export type MasterRequest<K extends OperationId> = RequestOptions &
  IfAny<Params<K>, { readonly params: Params<K> }> &
  IfAny<QueryInput<K>, { readonly query?: QueryInput<K> }> &
  IfAny<BodyInput<K>, { readonly body: BodyInput<K> }>;

export interface MasterClient {
  /** Throws BackupError; when `signal` aborts, its reason. */
  call<K extends OperationId>(operation: K, request: MasterRequest<K>): Promise<Answer<K>>;
  /** Node's clock minus the Master's by the last answer's Date header; undefined before the first. */
  clockSkewMs(): number | undefined;
}

export interface MasterClientDeps {
  /** As in the identity: without API_BASE. */
  readonly masterUrl: string;
  /** Absent for public calls (enrolment). */
  readonly signToken?: () => Promise<string>;
  readonly now: () => Date;
  readonly timeoutMs: number;
  readonly userAgent: string;
}

interface LooseRequest extends RequestOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
}

function urlOf(masterUrl: string, operation: Operation, { params = {}, query = {} }: LooseRequest): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return `${masterUrl}${API_BASE}${path}${search.size === 0 ? "" : `?${search.toString()}`}`;
}

export function createMasterClient(deps: MasterClientDeps): MasterClient {
  let skewMs: number | undefined;

  async function send(operation: Operation, request: LooseRequest): Promise<HttpAnswer> {
    const token = operation.access === "public" ? undefined : await deps.signToken?.();
    const headers = {
      accept: "application/json",
      "user-agent": deps.userAgent,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      ...(request.idempotencyKey === undefined ? {} : { [IDEMPOTENCY_HEADER]: request.idempotencyKey }),
      ...(request.correlationId === undefined ? {} : { [CORRELATION_HEADER]: request.correlationId }),
    };
    const timeout = AbortSignal.timeout(deps.timeoutMs);
    const url = urlOf(deps.masterUrl, operation, request);
    try {
      // Follows no redirect: a token must not go somewhere else; a wrong --master is better said than followed.
      const answer = await callHttp(url, {
        method: operation.method,
        headers,
        signal: request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      noteSkew(answer);
      return answer;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw networkError(error, { host: new URL(url).host, timeoutMs: deps.timeoutMs, skewMs });
    }
  }

  function noteSkew({ header }: HttpAnswer): void {
    const theirs = Date.parse(header("date") ?? "");
    // The header has whole seconds: half a second late on average.
    if (!Number.isNaN(theirs)) skewMs = Math.round(deps.now().getTime() - (theirs + 500));
  }

  return {
    clockSkewMs: () => skewMs,
    async call(operationId, request) {
      const operation: Operation = OPERATIONS[operationId];
      const loose = request as LooseRequest;
      loose.signal?.throwIfAborted();
      const answer = await send(operation, loose);
      if (answer.status < 200 || answer.status > 299) throw problemError(answer, skewMs);
      if (operation.answer === undefined) return undefined as Answer<typeof operationId>;
      return parseAnswer(operationId, operation.answer, answer.text) as Answer<typeof operationId>;
    },
  };
}

function parseAnswer(operationId: string, schema: z.ZodType, text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const hint = "Is the Master's URL right? Something else seems to answer there.";
    throw new BackupError("master_refused", {
      detail: `${operationId}: the answer is not JSON`,
      hint,
      cause: error,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  const hint = "The Master and this backupd do not understand each other: bring both to the same version.";
  throw new BackupError("master_refused", { detail: `${operationId}: ${faults}`.slice(0, 1000), hint });
}
