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
  claimedIssuer,
  isBootstrapToken,
  isNodeId,
} from "./core/authenticate.ts";
import { authenticateOidc, claimedKeyId, type OidcSettings } from "./core/authenticate-oidc.ts";
import { correlationOf } from "./core/correlation.ts";
import { identifyToken } from "./core/secret-token.ts";
import { type Deps, lazyDeps } from "./deps.ts";
import { type AuthorizerContext, toContext } from "./http/authorizer-context.ts";
import { openIssuerKeys } from "./stores/jwks.ts";
import { openRecords } from "./stores/records.ts";
import { type Observed, observed } from "./telemetry/observed.ts";

type Needs = Deps<"records" | "issuerKeys">;

export interface AuthorizerAnswer {
  readonly isAuthorized: boolean;
  readonly context: AuthorizerContext;
}

export const handler: Observed<APIGatewayRequestAuthorizerEventV2, AuthorizerAnswer> = observed(
  lazyDeps({ records: openRecords, issuerKeys: openIssuerKeys }),
  ({ headers, requestContext }) => correlationOf(headers ?? {}, requestContext.requestId),
  async ({ headers }, deps) => {
    const who = await authenticate(headers?.authorization, deps);
    return { isAuthorized: true, context: toContext(who) };
  },
);

async function authenticate(header: string | undefined, deps: Needs): Promise<Authentication> {
  const { config, now, records } = deps;
  const token = bearerToken(header);
  if (token === undefined) return { denied: header === undefined ? "unauthenticated" : "token_invalid" };
  const identity = identifyToken(token);
  if (isBootstrapToken(identity, config.bootstrapTokenSha256)) return BOOTSTRAP_PRINCIPAL;
  if (token.startsWith(API_TOKEN_PREFIX)) {
    return authenticateApiToken(identity, await records.apiTokens.get(identity.id), now());
  }
  const issuer = claimedIssuer(token);
  if (issuer === undefined) return { denied: "token_invalid" };
  if (issuer === config.oidc?.issuer) return authenticatePerson(token, config.oidc, deps);
  if (!isNodeId(issuer)) return { denied: "token_invalid" };
  return authenticateNode(token, await records.nodes.get(issuer), config.audience, now());
}

async function authenticatePerson(
  token: string,
  settings: OidcSettings,
  { issuerKeys, log, now }: Needs,
): Promise<Authentication> {
  const { keys, fault } = await issuerKeys.lookUp(claimedKeyId(token));
  if (fault !== undefined) log.warn("the issuer gave no keys", { issuer: settings.issuer, error: fault });
  if (keys === undefined) return { denied: "issuer_unreachable" };
  return authenticateOidc(token, keys, settings, now());
}
