// The way in: a token, or on a local stack the one-time link that its terminal shows.
import { type ReactNode, useState } from "react";
import { beginSession, lastEnd } from "../api/session.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";

const REASONS = {
  expired:
    "Your session has ended: the token is no longer valid. Sign in again; you will be back on this page.",
  link_used:
    "This sign-in link was used before or is too old. Press Enter in the terminal of npm start for a new one.",
  signed_out: "You are signed out.",
};

export function SignInPage(): ReactNode {
  useTitle("Sign in");
  const [token, setToken] = useState("");
  const [error, setError] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const reason = lastEnd();

  const signIn = async (): Promise<void> => {
    setIsBusy(true);
    setError(await faultOfToken(token.trim()));
    setIsBusy(false);
  };
  return (
    <main className="sign-in">
      <img src="/favicon.svg" alt="" width="40" height="40" />
      <h1>Backupd</h1>
      {reason === undefined ? null : (
        <p className="note" role="status">
          {REASONS[reason]}
        </p>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <TextField
          label="API token"
          type="password"
          value={token}
          onChange={setToken}
          error={error}
          help="An admin makes one under Settings. It stays in this tab only."
          placeholder="bkp_…"
          autoComplete="off"
          spellCheck={false}
          required
        />
        <Button type="submit" look="primary" busy={isBusy}>
          Sign in
        </Button>
      </form>
      <p className="muted small">
        On a local stack, open the link that <code>npm start</code> shows instead.
      </p>
    </main>
  );
}

/** Tries the token; begins the session if it is good. */
async function faultOfToken(token: string): Promise<string | undefined> {
  if (!/^[\x21-\x7e]+$/.test(token)) return "Paste the whole token, without spaces.";
  try {
    const response = await fetch("/api/v1/me", {
      headers: { authorization: `Bearer ${token}` },
      credentials: "omit",
    });
    if (response.ok) {
      beginSession(token);
      return undefined;
    }
    if (response.status !== 401) return `The Master answered ${response.status}. Try again in a moment.`;
    return "This token is not valid here: check that all of it was copied, and that it was not revoked.";
  } catch {
    return "The Master does not answer. Check the network and try again.";
  }
}
