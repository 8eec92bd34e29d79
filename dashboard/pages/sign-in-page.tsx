// The way in: the organisation's own sign-in where there is one, a token, or on a local stack the one-time link that its
// terminal shows.
import { type ReactNode, useEffect, useState } from "react";
import type { SignIn } from "#shared/contracts/sign-in.ts";
import { beginSession, lastEnd } from "../api/session.ts";
import { signInSettings } from "../api/sign-in-settings.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { Skeleton } from "../ui/panel.tsx";
import { IssuerButton } from "./issuer-button.tsx";

const REASONS = {
  expired: "Your session has ended. Sign in again; you will be back on this page.",
  link_used:
    "This sign-in link was used before or is too old. Press Enter in the terminal of npm start for a new one.",
  sign_in_failed:
    "Signing in did not work: it was begun in another tab, took too long, or your identity provider refused. Try again.",
  signed_out: "You are signed out.",
};

export function SignInPage(): ReactNode {
  useTitle("Sign in");
  const ways = useWaysIn();
  const reason = lastEnd();
  return (
    <main className="sign-in">
      <img src="/favicon.svg" alt="" width="40" height="40" />
      <h1>Backupd</h1>
      {reason === undefined ? null : (
        <p className="note" role="status">
          {REASONS[reason]}
        </p>
      )}
      {ways === undefined ? <Skeleton rows={3} /> : <WaysIn {...ways} />}
    </main>
  );
}

/** undefined until they are known. When the Master does not say, there is still the token. */
function useWaysIn(): SignIn | undefined {
  const [ways, setWays] = useState<SignIn>();
  useEffect(() => {
    signInSettings().then(setWays, () => setWays({ oidc: null, link: false }));
  }, []);
  return ways;
}

function WaysIn({ oidc, link }: SignIn): ReactNode {
  if (oidc === null) {
    return (
      <>
        <TokenForm look="primary" />
        {link ? (
          <p className="muted small">
            Or open the link that <code>npm start</code> shows.
          </p>
        ) : null}
      </>
    );
  }
  return (
    <>
      <IssuerButton look="primary">Sign in with your organisation</IssuerButton>
      <p className="muted small">At {new URL(oidc.issuer).host}</p>
      <details>
        <summary>Use an API token instead</summary>
        <TokenForm look="plain" />
      </details>
    </>
  );
}

function TokenForm({ look }: { look: "primary" | "plain" }): ReactNode {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const signIn = async (): Promise<void> => {
    setIsBusy(true);
    setError(await faultOfToken(token.trim()));
    setIsBusy(false);
  };
  return (
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
      <Button type="submit" look={look} busy={isBusy}>
        Sign in
      </Button>
    </form>
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
      beginSession({ token, via: "token" });
      return undefined;
    }
    if (response.status !== 401) return `The Master answered ${response.status}. Try again in a moment.`;
    return "This token is not valid here: check that all of it was copied, and that it was not revoked.";
  } catch {
    return "The Master does not answer. Check the network and try again.";
  }
}
