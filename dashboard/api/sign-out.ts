// The way out: what was made for this session ends with it, here and at the issuer.
import type { Me } from "#shared/contracts/identity.ts";
import { call } from "./client.ts";
import { endSession, type Session, session } from "./session.ts";

/** An issuer that cannot be reached must not keep anybody signed in here. */
const PATIENCE_MS = 3_000;

/** The token of a sign-in link was made for this session; any other API token may be in use elsewhere. */
export async function signOut(me?: Pick<Me, "id" | "role" | "label">): Promise<void> {
  const current = session();
  if (me?.role === "admin" && me.label === "Sign-in link") {
    await call("deleteApiToken", { params: { id: me.id } }).catch(() => undefined);
  }
  const elsewhere = current?.via === "issuer" ? await leaveInTime(current) : undefined;
  endSession("signed_out");
  if (elsewhere !== undefined) location.assign(elsewhere);
}

async function leaveInTime(current: Session): Promise<string | undefined> {
  const leaving = import("./issuer.ts").then(({ leaveIssuer }) => leaveIssuer(current));
  const outOfPatience = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE_MS));
  return Promise.race([leaving.catch(() => undefined), outOfPatience]);
}
