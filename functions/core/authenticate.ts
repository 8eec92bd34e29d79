// Who a token is from: an operator's API token, a node's self-signed JWT, or (authenticate-oidc.ts) a person's JWT from
// the issuer. All give a principal or the reason why there is none; what a principal may do is decided elsewhere.
import { decodeJwt, errors, importJWK, jwtVerify } from "jose";
import { Id } from "#shared/contracts/common.ts";
import type { Denial, Principal } from "./principal.ts";
import type { ApiTokenRecord, NodeRecord } from "./records.ts";
import { isSameHash, type TokenIdentity } from "./secret-token.ts";

/** `detail` is for whoever has proved who they are. */
export type Authentication = Principal | { readonly denied: Denial; readonly detail?: string };

export const API_TOKEN_PREFIX = "bkp_";

/** The token of an Authorization header, or undefined for anything but one bearer token; API Gateway takes no longer ones. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]{1,10000})$/i.exec(header?.trim() ?? "")?.[1];
}

export function isBootstrapToken({ hash }: TokenIdentity, bootstrapSha256: string): boolean {
  return bootstrapSha256 !== "" && isSameHash(hash, bootstrapSha256);
}

export const BOOTSTRAP_PRINCIPAL: Principal = {
  kind: "operator",
  id: "bootstrap",
  label: "bootstrap",
  role: "admin",
};

export function authenticateApiToken(
  identity: TokenIdentity,
  record: ApiTokenRecord | undefined,
  now: Date,
): Authentication {
  if (record === undefined || !isSameHash(record.hash, identity.hash)) return { denied: "token_invalid" };
  if (record.revoked_at !== undefined) return { denied: "token_revoked" };
  if (record.expires_at !== undefined && record.expires_at <= now.toISOString()) {
    return { denied: "token_expired" };
  }
  const { id, label, role, tenant } = record;
  return { kind: "operator", id, label, role, ...(tenant === undefined ? {} : { tenant }) };
}

/** Whom a JWT claims to be from, the issuer or a node: nothing is proved yet. */
export function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

export function isNodeId(issuer: string): boolean {
  return Id.safeParse(issuer).success;
}

const MAX_LIFE_SECONDS = 120;
const CLOCK_TOLERANCE_SECONDS = 30;

/** EdDSA with the node's own key only; the header's idea of the algorithm decides nothing. */
export async function authenticateNode(
  token: string,
  node: NodeRecord | undefined,
  audience: string,
  now: Date,
): Promise<Authentication> {
  // Of a node that was made up when the table was rebuilt nobody knows the key.
  if (node?.life !== "live" || node.signing_key === "") return { denied: "token_invalid" };
  try {
    const publicKey = await importJWK({ kty: "OKP", crv: "Ed25519", x: node.signing_key }, "EdDSA");
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: ["EdDSA"],
      issuer: node.id,
      subject: node.id,
      audience,
      requiredClaims: ["exp", "iat"],
      maxTokenAge: MAX_LIFE_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: now,
    });
    if ((payload.exp ?? Infinity) - (payload.iat ?? 0) > MAX_LIFE_SECONDS) return { denied: "token_invalid" };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { denied: "token_expired" };
    if (error instanceof errors.JOSEError) return { denied: "token_invalid" };
    throw error;
  }
  if (node.state === "disabled") return { denied: "node_disabled" };
  return { kind: "node", id: node.id, label: node.name };
}
