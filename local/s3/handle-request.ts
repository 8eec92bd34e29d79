// The story of one request: who signed it, which operation it names, the fault a test may want, the operation, the
// reply. Every failure ends here as an S3 error document and, if it is ours, in the log.
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { authenticate } from "./authenticate.ts";
import type { SignedParts } from "./canonical-request.ts";
import type { CredentialSource } from "./credentials.ts";
import type { S3Fault, S3FaultHook } from "./faults.ts";
import type { ObjectCreated } from "./object-created.ts";
import { OPERATION_TABLE } from "./operations/table.ts";
import { type S3Context, type S3Reply, S3Request } from "./request.ts";
import { asS3Error } from "./s3-error.ts";
import { sendError, sendReply } from "./send.ts";
import { findObject } from "./store/objects.ts";
import type { EventLog } from "./store/part-files.ts";
import { identifyOperation, type OperationName, parseTarget, type Target } from "./target.ts";

export interface HandlerDeps extends S3Context {
  readonly credentials: CredentialSource;
  readonly log: EventLog;
  readonly faults?: S3FaultHook | undefined;
  readonly onCreated?: ((created: ObjectCreated) => void) | undefined;
}

const CREATING: ReadonlySet<OperationName> = new Set(["PutObject", "CompleteMultipartUpload", "CopyObject"]);

/** Never rejects. */
export async function handleRequest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  deps: HandlerDeps,
): Promise<void> {
  const startedMs = performance.now();
  const requestId = randomBytes(8).toString("hex").toUpperCase();
  const told: Record<string, unknown> = { request_id: requestId, method: incoming.method };
  outgoing.setHeader("x-amz-request-id", requestId);
  try {
    await serve(incoming, outgoing, deps, told);
  } catch (error) {
    const s3Error = asS3Error(error);
    // A cut connection shows as a failure of whatever was going on; nobody is there to be told.
    told.code = outgoing.destroyed ? "ClientGone" : s3Error.code;
    if (s3Error.status >= 500) told.error = error;
    sendError(
      incoming,
      outgoing,
      { ...s3Error.details, Code: s3Error.code, Message: s3Error.message },
      s3Error.status,
    );
  } finally {
    const status = outgoing.headersSent ? outgoing.statusCode : undefined;
    deps.log({ event: "s3.request", ...told, status, ms: Math.round(performance.now() - startedMs) });
  }
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  deps: HandlerDeps,
  told: Record<string, unknown>,
): Promise<void> {
  const target = parseTarget(incoming.url ?? "");
  const method = incoming.method ?? "";
  Object.assign(told, { bucket: target.bucket, key: target.key });
  const parts = signedParts(incoming, target.path, target.query);
  const authentication = await authenticate(parts, { ...deps, service: "s3" });
  const request = new S3Request(target, authentication, { incoming, outgoing });
  const operation = identifyOperation(method, target, request.header("x-amz-copy-source") !== undefined);
  told.operation = operation;

  const fault = await deps.faults?.(faultRequest(method, target, operation, request.header("range")));
  if (fault === "reset") {
    incoming.socket.destroy();
    return;
  }
  if (typeof fault === "object") {
    sendError(
      incoming,
      outgoing,
      { Code: fault.code, Message: "A fault asked for by a test." },
      fault.status,
    );
    return;
  }
  const reply = await OPERATION_TABLE[operation](request, deps);
  if (CREATING.has(operation)) tellCreated(target, operation, deps);
  await answer(outgoing, reply, deps, fault);
}

function tellCreated({ bucket, key }: Target, reason: OperationName, deps: HandlerDeps): void {
  const object = deps.onCreated === undefined ? undefined : findObject(deps.store.db, bucket, key);
  if (object === undefined) return;
  const { bytes, etag } = object;
  deps.onCreated?.({ bucket, key, bytes, etag, reason, at: deps.now() });
}

async function answer(
  outgoing: ServerResponse,
  reply: S3Reply,
  deps: HandlerDeps,
  fault: S3Fault | undefined,
): Promise<void> {
  try {
    if (fault === "reset-after") outgoing.socket?.destroy();
    else await sendReply(outgoing, reply, deps.store.files);
  } finally {
    await reply.content?.release();
  }
}

function faultRequest(
  method: string,
  target: Target,
  operation: ReturnType<typeof identifyOperation>,
  range: string | undefined,
): Parameters<S3FaultHook>[0] {
  const partNumber = target.query.find(([name]) => name === "partNumber")?.[1];
  return {
    method,
    bucket: target.bucket,
    key: target.key,
    operation,
    ...(partNumber === undefined ? {} : { partNumber: Number(partNumber) }),
    ...(range === undefined ? {} : { range }),
  };
}

/** The request as it was signed: every header as received, repeated ones apart. */
export function signedParts(
  incoming: IncomingMessage,
  path: string,
  query: SignedParts["query"],
): SignedParts {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    const name = (incoming.rawHeaders[index] ?? "").toLowerCase();
    const value = incoming.rawHeaders[index + 1] ?? "";
    const known = headers.get(name);
    if (known === undefined) headers.set(name, [value]);
    else known.push(value);
  }
  return { method: incoming.method ?? "", path, query, headers };
}
