// POST /sign-in of the local stack: gives an API token of a day's work for the code of a one-time link. On AWS there
// is no such thing: people come with a token or through their identity provider.
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import type { SignInCodes } from "./sign-in-codes.ts";

const SESSION_SECONDS = 12 * 3600;
const MAX_BODY_BYTES = 1024;
const SignIn = z.strictObject({ code: z.string().max(200) });

export interface SignInDeps {
  readonly codes: SignInCodes;
  /** Of this stack's API, without a path. */
  readonly apiUrl: string;
  readonly adminToken: string;
}

export async function answerSignIn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  deps: SignInDeps,
): Promise<void> {
  if (!comesFromOwnPage(incoming, deps.apiUrl))
    return refuse(outgoing, 403, "Sign-in works from this address only.");
  const body = SignIn.safeParse(await readJson(incoming));
  if (!body.success) return refuse(outgoing, 400, "That is not a sign-in.");
  if (!deps.codes.redeem(body.data.code))
    return refuse(outgoing, 401, "The link was used before or is too old.");
  send(outgoing, 200, { token: await makeToken(deps) });
}

/** A page of another origin could reach this port by a form, or by a name that it points to 127.0.0.1. */
function comesFromOwnPage({ headers }: IncomingMessage, apiUrl: string): boolean {
  const { host, origin = apiUrl } = headers;
  const isJson = /^application\/json\b/i.test(headers["content-type"] ?? "");
  return isJson && host === new URL(apiUrl).host && origin === apiUrl;
}

/** An ordinary API token: listed, recorded in the activity, revocable and checked like every other. */
async function makeToken({ apiUrl, adminToken }: SignInDeps): Promise<string> {
  const response = await fetch(`${apiUrl}/api/v1/api-tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: JSON.stringify({ label: "Sign-in link", role: "admin", ttl_seconds: SESSION_SECONDS }),
  });
  if (response.status !== 201) throw new Error(`Making a session token answered ${response.status}.`);
  return z.object({ token: z.string() }).parse(await response.json()).token;
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  try {
    return bytes <= MAX_BODY_BYTES ? JSON.parse(Buffer.concat(chunks).toString("utf8")) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function refuse(outgoing: ServerResponse, status: number, message: string): void {
  send(outgoing, status, { message });
}

function send(outgoing: ServerResponse, status: number, value: unknown): void {
  outgoing.setHeader("content-type", "application/json");
  outgoing.setHeader("cache-control", "no-store");
  outgoing.writeHead(status).end(JSON.stringify(value));
}
