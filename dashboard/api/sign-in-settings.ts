// Where people sign in, as the Master says it before anybody is signed in. Not by client.ts, whose calls may have to wait
// for a token that is renewed with what is asked here.
import { ROUTES } from "virtual:api-routes";
import type { SignIn } from "#shared/contracts/sign-in.ts";

/** Where the issuer sends people back to; registered there with the dashboard's address before it. */
export const RETURN_PATH = "/signed-in";

let asked: Promise<SignIn> | undefined;

/** Asked for once; after a failure the next call asks again. */
export function signInSettings(): Promise<SignIn> {
  asked ??= ask().catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

async function ask(): Promise<SignIn> {
  const response = await fetch(`/api/v1${ROUTES.getSignIn.path}`, { credentials: "omit" });
  if (!response.ok) throw new Error(`The Master answered ${response.status}.`);
  return (await response.json()) as SignIn;
}
