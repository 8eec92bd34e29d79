// The wire: EventBridge Scheduler's REST/JSON protocol, as the AWS SDKs speak it, on node:http.
//
// A request has to carry a well-formed SigV4 Authorization header, so that a client without credentials fails
// here as it would on AWS. The signature itself is not verified: this server listens on loopback only and
// knows no secrets; the S3 and API hosts of the local stack, whose data matters, do verify.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { ApiError } from "./api-error.ts";
import type { Log } from "./dispatcher.ts";
import * as operations from "./operations.ts";
import type { SchedulerStore } from "./store.ts";

const LONGEST_BODY_BYTES = 1_048_576;
const SIGV4 =
  /^AWS4-HMAC-SHA256 Credential=[^/,\s]+\/\d{8}\/([a-z0-9-]+)\/scheduler\/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}$/;

const ROUTES: Readonly<Record<string, operations.Operation>> = {
  "POST schedules/{}": operations.createSchedule,
  "PUT schedules/{}": operations.updateSchedule,
  "GET schedules/{}": operations.getSchedule,
  "DELETE schedules/{}": operations.deleteSchedule,
  "GET schedules": operations.listSchedules,
  "POST schedule-groups/{}": operations.createScheduleGroup,
  "GET schedule-groups/{}": operations.getScheduleGroup,
  "DELETE schedule-groups/{}": operations.deleteScheduleGroup,
  "GET schedule-groups": operations.listScheduleGroups,
};

export interface HttpDeps {
  readonly store: SchedulerStore;
  readonly now: () => Date;
  readonly log: Log;
  /** Called after every call that may have changed a schedule. */
  readonly changed: () => void;
}

export function makeListener(deps: HttpDeps): RequestListener {
  return (request, response) => {
    answer(request, deps)
      .catch((error: unknown) => {
        if (error instanceof ApiError) return failure(error);
        deps.log("scheduler_request_failed", { method: request.method, url: request.url, error });
        return failure(
          new ApiError("InternalServerException", "Unexpected error; see the log.", { cause: error }),
        );
      })
      .then((reply) => send(response, reply))
      // The client has gone; nobody is left to tell.
      .catch((error: unknown) => deps.log("scheduler_reply_failed", { error }));
  };
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

async function answer(request: IncomingMessage, deps: HttpDeps): Promise<Reply> {
  const region = readRegion(request.headers.authorization);
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const [collection = "", encodedName, ...rest] = url.pathname.slice(1).split("/");
  const operation = ROUTES[`${request.method} ${collection}${encodedName === undefined ? "" : "/{}"}`];
  if (!operation || rest.length > 0) {
    throw new ApiError("UnknownOperationException", `${request.method} ${url.pathname} is no operation.`);
  }
  const body = await readJson(request);
  const name = decodeName(encodedName ?? "");
  const result = operation(deps.store, { name, region, query: url.searchParams, body, now: deps.now() });
  if (request.method !== "GET") deps.changed();
  return { status: 200, headers: {}, body: result };
}

function readRegion(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw new ApiError("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const region = SIGV4.exec(authorization)?.[1];
  if (region !== undefined) return region;
  throw new ApiError("IncompleteSignatureException", "Authorization is no SigV4 signature for scheduler.");
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LONGEST_BODY_BYTES) throw new ApiError("ValidationException", "The request is too large.");
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (cause) {
    throw new ApiError("SerializationException", "The body is not valid JSON.", { cause });
  }
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new ApiError("ValidationException", "The name is not valid percent-encoding.", { cause });
  }
}

function failure(error: ApiError): Reply {
  return {
    status: error.status,
    headers: { "x-amzn-errortype": error.type },
    body: { Message: error.message },
  };
}

function send(response: ServerResponse, reply: Reply): void {
  const headers = { "content-type": "application/json", "x-amzn-requestid": randomUUID(), ...reply.headers };
  response.writeHead(reply.status, headers).end(JSON.stringify(reply.body));
}
