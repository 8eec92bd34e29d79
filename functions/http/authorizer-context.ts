// What the authorizer tells the handlers, as the flat strings that API Gateway passes on.
import { ROLES, type Role } from "#shared/contracts/identity.ts";
import { BackupError } from "#shared/errors.ts";
import { DENIALS, type Denial, type Principal } from "../core/principal.ts";

export type AuthorizerContext = Readonly<Record<string, string>>;

export function toContext(who: Principal | { readonly denied: Denial }): AuthorizerContext {
  if ("denied" in who) return { denied: who.denied };
  const base = { principal_kind: who.kind, principal_id: who.id, principal_label: who.label };
  return who.kind === "operator" ? { ...base, role: who.role } : base;
}

/** undefined when no authorizer ran; throws the authorizer's reason, and denies a context it cannot read. */
export function fromContext(context: unknown): Principal | undefined {
  if (context === undefined || context === null) return undefined;
  const {
    denied,
    principal_kind: kind,
    principal_id: id,
    principal_label: label,
    role,
  } = context as Record<string, unknown>;
  if (denied !== undefined) {
    throw new BackupError(DENIALS.find((code) => code === denied) ?? "unauthenticated");
  }
  if (typeof id !== "string" || typeof label !== "string") return undefined;
  if (kind === "node") return { kind, id, label };
  const known = ROLES.find((one: Role) => one === role);
  return kind === "operator" && known !== undefined ? { kind, id, label, role: known } : undefined;
}
