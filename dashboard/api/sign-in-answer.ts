// Coming back from the issuer: its answer leaves the address bar and the history, and becomes a session on the page where
// the way to the issuer began.
import { endSession } from "./session.ts";
import { RETURN_PATH } from "./sign-in-settings.ts";

/** The issuer's answer in this page's address, taken out of it. */
export function takeAnswer(): string | undefined {
  if (location.pathname !== RETURN_PATH) return undefined;
  const { href } = location;
  history.replaceState(null, "", "/");
  return href;
}

export async function comeBack(answer: string): Promise<void> {
  try {
    const { finishSignIn } = await import("./issuer.ts");
    history.replaceState(null, "", await finishSignIn(answer));
  } catch {
    // Not this tab's, too old, used before, or the issuer said no: all of it is begun again by hand.
    endSession("sign_in_failed");
  }
}
