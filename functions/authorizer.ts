// The one Lambda authorizer. It authenticates and always lets the request through with who it found, or with why it
// found nobody: the handlers then answer with a problem document that says what to do (docs/adr/0002).
import type { APIGatewayRequestAuthorizerEventV2 } from "aws-lambda";
import {
  API_TOKEN_PREFIX,
  type Authentication,
  authenticateApiToken,
  authenticateNode,
  BOOTSTRAP_PRINCIPAL,
  bearerToken,
  claimedNodeId,
  isBootstrapToken,
} from "./core/authenticate.ts";
import { identifyToken } from "./core/secret-token.ts";
import { type Deps, lazyDeps } from "./deps.ts";
import { type AuthorizerContext, toContext } from "./http/authorizer-context.ts";
import { openRecords } from "./stores/records.ts";

const getDeps = lazyDeps({ records: openRecords });

export interface AuthorizerAnswer {
  readonly isAuthorized: boolean;
  readonly context: AuthorizerContext;
}

export async function handler(event: APIGatewayRequestAuthorizerEventV2): Promise<AuthorizerAnswer> {
  const who = await authenticate(event.headers?.authorization, getDeps());
  return { isAuthorized: true, context: toContext(who) };
}

async function authenticate(header: string | undefined, deps: Deps<"records">): Promise<Authentication> {
  const { config, now, records } = deps;
  const token = bearerToken(header);
  if (token === undefined) return { denied: header === undefined ? "unauthenticated" : "token_invalid" };
  const identity = identifyToken(token);
  if (isBootstrapToken(identity, config.bootstrapTokenSha256)) return BOOTSTRAP_PRINCIPAL;
  if (token.startsWith(API_TOKEN_PREFIX)) {
    return authenticateApiToken(identity, await records.apiTokens.get(identity.id), now());
  }
  const nodeId = claimedNodeId(token);
  if (nodeId === undefined) return { denied: "token_invalid" };
  return authenticateNode(token, await records.nodes.get(nodeId), config.audience, now());
}
