// A small OpenID Connect issuer on loopback: discovery, keys, the authorization code flow with PKCE, refresh tokens that work
// once, and its own session, which only its sign-out ends. It holds clients to the specification; tests make it fail.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CLIENT_ID, type GrantSettings, type Grants, openGrants, type Person } from "./grants.ts";
import { makeSigningKeys } from "./signing-keys.ts";

export interface OidcIssuer extends AsyncDisposable, GrantSettings {
  readonly url: string;
  /** What it does instead of answering; `another name` is in its discovery document. */
  fault: "none" | "down" | "error" | "silent" | "another name";
  tokenSeconds: number;
  givesRefreshTokens: boolean;
  /** How often each path was asked for. */
  readonly asked: Readonly<Record<string, number>>;
}

export interface IssuerOptions {
  readonly people?: readonly Person[];
  readonly now?: () => Date;
}

export async function startOidcIssuer(options: IssuerOptions = {}): Promise<OidcIssuer> {
  const { people = [], now = () => new Date() } = options;
  const keys = await makeSigningKeys();
  const asked: Record<string, number> = {};
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? "/", url);
    asked[pathname] = (asked[pathname] ?? 0) + 1;
    if (issuer.fault === "silent") return;
    if (issuer.fault === "down") incoming.socket.destroy();
    else if (issuer.fault === "error") outgoing.writeHead(500).end("broken");
    else void answer(incoming, outgoing, pathname);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: OidcIssuer = {
    url,
    keys,
    returns: [],
    fault: "none",
    tokenSeconds: 3600,
    givesRefreshTokens: true,
    asked,
    claims(person, more = {}) {
      const iat = Math.floor(now().getTime() / 1000);
      return { iss: url, aud: CLIENT_ID, iat, exp: iat + issuer.tokenSeconds, ...person, ...more };
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  const grants = openGrants(issuer, people);
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse, path: string): Promise<void> => {
    outgoing.setHeader("access-control-allow-origin", "*");
    if (path === "/.well-known/openid-configuration") sendJson(outgoing, 200, discovery(issuer));
    else if (path === "/keys") sendJson(outgoing, 200, keys.published);
    else if (path === "/favicon.ico") outgoing.writeHead(204).end();
    else if (path === "/token" || path === "/revoke") await answerForm(incoming, outgoing, path, grants);
    else visit(incoming, outgoing, path, grants);
  };
  return issuer;
}

function discovery({ url, fault }: OidcIssuer): object {
  return {
    issuer: fault === "another name" ? "https://another.example" : url,
    jwks_uri: `${url}/keys`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    revocation_endpoint: `${url}/revoke`,
    end_session_endpoint: `${url}/logout`,
  };
}

async function answerForm(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  path: string,
  grants: Grants,
): Promise<void> {
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  const form = new URLSearchParams(text);
  if (path === "/revoke") {
    grants.revoke(form.get("token") ?? "");
    sendJson(outgoing, 200, {});
    return;
  }
  const tokens = await grants.exchange(form);
  sendJson(outgoing, tokens === undefined ? 400 : 200, tokens ?? { error: "invalid_grant" });
}

/** What a browser shows: who to sign in as, or on to where it came from. */
function visit(incoming: IncomingMessage, outgoing: ServerResponse, path: string, grants: Grants): void {
  const query = new URL(incoming.url ?? "/", "http://issuer").searchParams;
  const known = /\bperson=([^;]+)/.exec(incoming.headers.cookie ?? "")?.[1];
  const chosen = query.get("person") ?? known;
  const refusal = path === "/authorize" ? grants.refusal(query) : undefined;
  if (path === "/logout") {
    outgoing.setHeader("set-cookie", "person=; Max-Age=0");
    redirect(outgoing, grants.afterSignOut(query));
  } else if (path !== "/authorize" || refusal !== undefined) {
    outgoing.writeHead(400).end(refusal);
  } else if (chosen === undefined) {
    showPeople(outgoing, query, grants);
  } else {
    outgoing.setHeader("set-cookie", `person=${chosen}`);
    redirect(outgoing, grants.authorize(chosen, query));
  }
}

function showPeople(outgoing: ServerResponse, query: URLSearchParams, { people }: Grants): void {
  const links = people.map(({ sub, email }) => {
    const href = new URLSearchParams([...query, ["person", sub]]).toString().replaceAll("&", "&amp;");
    return `<li><a href="/authorize?${href}">${email}</a></li>`;
  });
  outgoing.setHeader("content-type", "text/html");
  outgoing.end(`<!doctype html><title>Issuer</title><h1>Who are you?</h1><ul>${links.join("")}</ul>`);
}

function redirect(outgoing: ServerResponse, to: string | undefined): void {
  if (to === undefined) outgoing.writeHead(400).end("not a place to return to");
  else outgoing.writeHead(302, { location: to }).end();
}

function sendJson(outgoing: ServerResponse, status: number, value: unknown): void {
  outgoing.setHeader("content-type", "application/json");
  outgoing.writeHead(status).end(JSON.stringify(value));
}
