// The third kind of identity: a person with a token of the organisation's own issuer (OpenID Connect). Given the issuer's
// keys it is decided here whether the token is the issuer's, meant for us, valid now, and which role its groups give.
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from "jose";
import { Tenant } from "#shared/contracts/common.ts";
import { ROLES, type Role } from "#shared/contracts/identity.ts";
import type { Authentication } from "./authenticate.ts";

export interface OidcSettings {
  readonly issuer: string;
  /** The dashboard's, a public client. */
  readonly clientId: string;
  /** Of access tokens. Without one the client's ID tokens are taken, and Cognito's access tokens, which name no audience. */
  readonly audience: string | undefined;
  readonly scope: string;
  /** Where a token has its groups: a claim's name, or a path such as `realm_access.roles`. */
  readonly roleClaim: string;
  /** Which group gives which role. */
  readonly groups: Readonly<Record<Role, string>>;
  /** Where a token has its bearer's tenant; undefined where everybody works on the whole fleet. */
  readonly tenantClaim: string | undefined;
}

/** In the tenant's claim: the whole fleet. Nothing there is nobody's tenant, so that a claim left out opens nothing. */
const WHOLE_FLEET = "*";

/** Signatures by a private key only: with HS256 or none, whoever knows the public key could sign. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
/** How far our clock and the issuer's may be apart. */
const CLOCK_SKEW_SECONDS = 60;
/** A token cannot be revoked before it ends by itself. */
const MAX_LIFE_SECONDS = 86_400;
/** RFC 9068, 2.1. An issuer signs other things, too, for instance logout tokens, that let nobody in. */
const TYPES = new Set(["jwt", "at+jwt", "application/at+jwt"]);
const MAX_LABEL = 120;

/** Which key a token says it is signed with: nothing is proved yet. */
export function claimedKeyId(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}

export async function authenticateOidc(
  token: string,
  keys: JSONWebKeySet,
  settings: OidcSettings,
  now: Date,
): Promise<Authentication> {
  let claims: JWTPayload;
  try {
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
      algorithms: ALGORITHMS,
      issuer: settings.issuer,
      requiredClaims: ["sub", "exp", "iat"],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: now,
    });
    if (!isTimely(payload, now) || !isAccess(payload, protectedHeader) || !isForUs(payload, settings))
      return { denied: "token_invalid" };
    claims = payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { denied: "token_expired" };
    if (error instanceof errors.JOSEError) return { denied: "token_invalid" };
    throw error;
  }
  const label = labelOf(claims);
  const role = roleOf(claims, settings);
  if (role === undefined) return { denied: "no_role", detail: whyNoRole(label, settings) };
  const bound = tenantOf(claims, settings.tenantClaim);
  if (bound === undefined) {
    const detail = `${label} has no tenant here: the claim ${settings.tenantClaim} has to name one, or ${WHOLE_FLEET}.`;
    return { denied: "no_role", detail };
  }
  // The issuer's own name for the person never changes and is given to nobody else; what else it says may be.
  return { kind: "operator", id: `oidc:${claims.sub}`, label, role, ...bound };
}

function isTimely({ iat = Infinity, exp = Infinity }: JWTPayload, now: Date): boolean {
  return iat <= now.getTime() / 1000 + CLOCK_SKEW_SECONDS && exp - iat <= MAX_LIFE_SECONDS;
}

function isAccess({ events }: JWTPayload, { typ = "JWT" }: JWTHeaderParameters): boolean {
  return events === undefined && TYPES.has(typ.toLowerCase());
}

function isForUs(claims: JWTPayload, { audience, clientId }: OidcSettings): boolean {
  const audiences = [claims.aud ?? []].flat();
  if (audience !== undefined) return audiences.includes(audience);
  const { client_id: client, azp = clientId, token_use: use } = claims;
  if (claims.aud === undefined) return client === clientId && use === "access";
  return audiences.includes(clientId) && azp === clientId && (use === undefined || use === "id");
}

/** The highest role that any of the token's groups gives. */
function roleOf(claims: JWTPayload, { roleClaim, groups }: OidcSettings): Role | undefined {
  const named = new Set([claimAt(claims, roleClaim)].flat());
  return ROLES.findLast((role) => named.has(groups[role]));
}

/** undefined when the token has to name a tenant and does not. */
function tenantOf(claims: JWTPayload, claim: string | undefined): { readonly tenant?: string } | undefined {
  if (claim === undefined) return {};
  const [value, ...more] = [claimAt(claims, claim)].flat();
  if (more.length > 0) return undefined;
  if (value === WHOLE_FLEET) return {};
  const tenant = Tenant.safeParse(value).data;
  return tenant === undefined ? undefined : { tenant };
}

function claimAt(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split(".")
    .reduce<unknown>(
      (value, part) => (isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined),
      claims,
    );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** How people know each other, where the issuer says it. It is shown and nothing is decided by it. */
function labelOf(claims: JWTPayload): string {
  const email = claims["email_verified"] === false ? undefined : claims["email"];
  const names = [
    email,
    claims["preferred_username"],
    claims["cognito:username"],
    claims["username"],
    claims.sub,
  ];
  const name = names.find((one): one is string => typeof one === "string" && one.trim() !== "") ?? "somebody";
  return name.replaceAll(/\p{C}/gu, " ").trim().slice(0, MAX_LABEL);
}

function whyNoRole(label: string, { groups, roleClaim }: OidcSettings): string {
  return `${label} is in none of the groups that give a role (claim ${roleClaim}): ${ROLES.map((role) => groups[role]).join(", ")}.`;
}
