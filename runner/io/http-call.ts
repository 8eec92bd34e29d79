// One HTTP exchange by node:http, which the storage's client needs anyway. (The first `fetch` of a process takes 30 ms of
// processor time to load undici, a tenth of what an unchanged site's backup takes in all.)
import { type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { text } from "node:stream/consumers";

export interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** By their names in lower case; those that come twice, as Node joins them. */
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

/** Follows no redirect. @throws the signal's reason; what the socket or TLS says. */
export async function callHttp(
  url: string,
  { method, headers, body, signal }: HttpCall,
): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const start = url.startsWith("https:") ? requestTls : requestPlain;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  try {
    const request = start(url, { method, headers: { ...headers, ...length }, signal });
    request.end(body);
    const response = await answerTo(request);
    return {
      status: response.statusCode ?? 0,
      header: (name) => response.headers[name]?.toString(),
      text: await text(response),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    // Also after the answer has begun, when nobody waits here any more and the body's reader gets its own error.
    request.on("error", reject);
  });
}
