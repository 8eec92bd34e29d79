// A loopback HTTP proxy in front of the Master that a test can break: answers of its own, or a cut connection, for
// the calls it names. The fault is on the wire, so what meets it is the runner's real client.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** `reset` cuts the connection before the Master has seen the call, `reset-after` once it has answered. */
export type ProxyFault =
  | "reset"
  | "reset-after"
  | { readonly status: number; readonly body?: string }
  | { readonly delayMs: number };

export interface FlakyProxy extends AsyncDisposable {
  readonly url: string;
  /** `METHOD /path` of every call that came, in order. */
  readonly calls: string[];
  /** Asked for each call; undefined lets it through. */
  fault: (method: string, path: string) => ProxyFault | undefined;
  close(): Promise<void>;
}

export async function startFlakyProxy(targetUrl: string): Promise<FlakyProxy> {
  const calls: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const method = incoming.method ?? "";
    const path = incoming.url ?? "";
    calls.push(`${method} ${path}`);
    const fault = proxy.fault(method, path);
    if (fault === undefined) forward(targetUrl, incoming, outgoing);
    else if (fault === "reset") incoming.socket.resetAndDestroy();
    else if (fault === "reset-after")
      forward(targetUrl, incoming, outgoing, () => incoming.socket.resetAndDestroy());
    else if ("delayMs" in fault)
      setTimeout(() => forward(targetUrl, incoming, outgoing), fault.delayMs).unref();
    else outgoing.writeHead(fault.status, { "content-type": "text/plain" }).end(fault.body ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const { port } = server.address() as AddressInfo;
  const proxy: FlakyProxy = {
    url: `http://127.0.0.1:${port}`,
    calls,
    fault: () => undefined,
    close,
    [Symbol.asyncDispose]: close,
  };
  return proxy;
}

function forward(
  targetUrl: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  instead?: () => void,
): void {
  const target = new URL(incoming.url ?? "/", targetUrl);
  const onward = request(target, { method: incoming.method, headers: incoming.headers }, (answer) => {
    if (instead !== undefined) {
      answer.resume().once("end", instead);
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.once("error", () => outgoing.destroy());
  incoming.pipe(onward);
}
