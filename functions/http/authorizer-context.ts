// What the authorizer tells the handlers, as the flat strings that API Gateway passes on.
import { Tenant } from "#shared/contracts/common.ts";
import { ROLES, type Role } from "#shared/contracts/identity.ts";
import { BackupError } from "#shared/errors.ts";
import type { Authentication } from "../core/authenticate.ts";
import { DENIALS, type Principal } from "../core/principal.ts";

export type AuthorizerContext = Readonly<Record<string, string>>;

export function toContext(who: Authentication): AuthorizerContext {
  if ("denied" in who) {
    return { denied: who.denied, ...(who.detail === undefined ? {} : { denied_detail: who.detail }) };
  }
  const base = { principal_kind: who.kind, principal_id: who.id, principal_label: who.label };
  if (who.kind !== "operator") return base;
  return { ...base, role: who.role, ...(who.tenant === undefined ? {} : { tenant: who.tenant }) };
}

/** undefined when no authorizer ran; throws the authorizer's reason, and denies a context it cannot read. */
export function fromContext(context: unknown): Principal | undefined {
  if (context === undefined || context === null) return undefined;
  const {
    denied,
    denied_detail: detail,
    principal_kind: kind,
    principal_id: id,
    principal_label: label,
    role,
    tenant,
  } = context as Record<string, unknown>;
  if (denied !== undefined) {
    throw new BackupError(
      DENIALS.find((code) => code === denied) ?? "unauthenticated",
      typeof detail === "string" ? { detail } : {},
    );
  }
  if (typeof id !== "string" || typeof label !== "string") return undefined;
  if (kind === "node") return { kind, id, label };
  const known = ROLES.find((one: Role) => one === role);
  if (kind !== "operator" || known === undefined) return undefined;
  if (tenant === undefined) return { kind, id, label, role: known };
  // What is no tenant's name must not turn its bearer into an operator of the whole fleet.
  const bound = Tenant.safeParse(tenant).data;
  return bound === undefined ? undefined : { kind, id, label, role: known, tenant: bound };
}
