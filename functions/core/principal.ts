// Who calls, and whether that is enough: the authorizer says who, this table-driven check says whether.
import { ROLES, type Role } from "#shared/contracts/identity.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import type { Access, Operation } from "#shared/operations.ts";

export interface Operator {
  readonly kind: "operator";
  readonly id: string;
  readonly label: string;
  readonly role: Role;
  /** Absent: an operator of the whole fleet. Otherwise nothing of any other tenant is there for them. */
  readonly tenant?: string;
}

export type Principal = Operator | { readonly kind: "node"; readonly id: string; readonly label: string };

/** Why there is no principal; the codes that an authorizer may answer with. */
export const DENIALS = [
  "unauthenticated",
  "token_invalid",
  "token_expired",
  "token_revoked",
  "node_disabled",
  "no_role",
  "issuer_unreachable",
] as const satisfies readonly ErrorCode[];
export type Denial = (typeof DENIALS)[number];

/** The tenant that a call is bound to; undefined for nodes and for operators of the whole fleet. */
export function tenantOf(principal: Principal | undefined): string | undefined {
  return principal?.kind === "operator" ? principal.tenant : undefined;
}

/** Whose a new thing is: as asked for, or the caller's own. Throws when that is somebody else. */
export function tenantOfNew(
  asked: string | undefined,
  principal: Principal | undefined,
): { readonly tenant?: string } {
  const own = tenantOf(principal);
  if (own !== undefined && asked !== undefined && asked !== own) throw new BackupError("fleet_owner_only");
  const tenant = own ?? asked;
  return tenant === undefined ? {} : { tenant };
}

/** Throws for a tenant's operator on a node that is not that tenant's: what they may not say there could touch others. */
export function checkHost(
  host: { readonly tenant?: string },
  principal: Principal | undefined,
  what: string,
): void {
  const tenant = tenantOf(principal);
  if (tenant === undefined || host.tenant === tenant) return;
  throw new BackupError("fleet_owner_only", {
    detail: `The site shares its node with others, so ${what} is for operators of the whole fleet.`,
  });
}

/** Throws unless `principal` may make that call. */
export function checkAccess(
  { access, fleetWide }: Pick<Operation, "access" | "fleetWide">,
  principal: Principal | undefined,
): void {
  checkRole(access, principal);
  if (fleetWide === true && tenantOf(principal) !== undefined) throw new BackupError("fleet_owner_only");
}

function checkRole(access: Access, principal: Principal | undefined): void {
  if (access === "public") return;
  if (principal === undefined) throw new BackupError("unauthenticated");
  if (access === "node") {
    if (principal.kind === "node") return;
    throw new BackupError("role_too_low", {
      detail: "Only a node may make this call, with a token that it signed itself.",
      hint: "Operators have calls of their own: see /api/v1/openapi.json.",
    });
  }
  if (principal.kind === "operator" && ROLES.indexOf(principal.role) >= ROLES.indexOf(access)) return;
  const role = principal.kind === "node" ? "a node" : `the role ${principal.role}`;
  throw new BackupError("role_too_low", { detail: `This needs the role ${access}; the token has ${role}.` });
}
