// Who calls, and whether that is enough: the authorizer says who, this table-driven check says whether.
import { ROLES, type Role } from "#shared/contracts/identity.ts";
import type { ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import type { Access } from "#shared/operations.ts";

export type Principal =
  | { readonly kind: "operator"; readonly id: string; readonly label: string; readonly role: Role }
  | { readonly kind: "node"; readonly id: string; readonly label: string };

/** Why there is no principal; the codes that an authorizer may answer with. */
export const DENIALS = [
  "unauthenticated",
  "token_invalid",
  "token_expired",
  "token_revoked",
  "node_disabled",
] as const satisfies readonly ErrorCode[];
export type Denial = (typeof DENIALS)[number];

/** Throws unless `principal` may make a call that needs `access`. */
export function checkAccess(access: Access, principal: Principal | undefined): void {
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
