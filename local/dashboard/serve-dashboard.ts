// The dashboard on the API's own origin, as CloudFront serves it: everything that is not below /api/ is one of its
// files, one of its pages (all of them index.html; the browser routes), or not there.
import type { IncomingMessage, ServerResponse } from "node:http";
import { securityHeaders } from "./security-headers.ts";
import { answerSignIn, type SignInDeps } from "./sign-in.ts";
import { openSignInCodes } from "./sign-in-codes.ts";
import { readStaticFiles, type StaticFile, type StaticFiles } from "./static-files.ts";

export interface Dashboard {
  /** True when the request was for the dashboard and is answered. */
  readonly serve: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<boolean>;
  /** A link that signs whoever opens it first in as an admin, once, within minutes. */
  signInLink(): string;
}

export async function openDashboard(
  dir: string,
  options: Omit<SignInDeps, "codes"> & { readonly now: () => Date; readonly issuer?: string | undefined },
): Promise<Dashboard> {
  const files = await readStaticFiles(dir);
  const codes = openSignInCodes(options.now);
  const headers = securityHeaders(options.issuer === undefined ? [] : [new URL(options.issuer).origin]);
  return {
    // After the #, because browsers send that part to nobody.
    signInLink: () => `${options.apiUrl}/#code=${codes.issue()}`,
    async serve(incoming, outgoing) {
      const path = (incoming.url ?? "/").split("?")[0] ?? "/";
      if (path === "/api" || path.startsWith("/api/")) return false;
      for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
      if (path === "/sign-in" && incoming.method === "POST") {
        await answerSignIn(incoming, outgoing, { ...options, codes });
      } else {
        sendFile(incoming, outgoing, fileFor(files, path));
      }
      return true;
    },
  };
}

/** What looks like a file must be one; any other path is a page of the application. */
function fileFor(files: StaticFiles, path: string): StaticFile | undefined {
  const found = files.get(path);
  if (found !== undefined) return found;
  return /\.[^/]*$/.test(path) ? undefined : files.get("/index.html");
}

function sendFile(incoming: IncomingMessage, outgoing: ServerResponse, file: StaticFile | undefined): void {
  incoming.resume();
  const { method } = incoming;
  if (method !== "GET" && method !== "HEAD") {
    sendText(outgoing.setHeader("allow", "GET, HEAD"), 405);
    return;
  }
  if (file === undefined) {
    sendText(outgoing, 404);
    return;
  }
  for (const [name, value] of Object.entries(file.headers)) outgoing.setHeader(name, value);
  if (incoming.headers["if-none-match"] === file.headers["etag"]) {
    outgoing.writeHead(304).end();
    return;
  }
  outgoing.setHeader("content-length", file.bytes.length);
  outgoing.writeHead(200).end(method === "HEAD" ? undefined : file.bytes);
}

function sendText(outgoing: ServerResponse, status: 404 | 405): void {
  outgoing.setHeader("content-type", "text/plain; charset=utf-8");
  outgoing.writeHead(status).end(status === 404 ? "Not found\n" : "Method not allowed\n");
}
