// What the tests' issuer has given out and for what: authorization codes bound to a PKCE challenge, and refresh tokens. Each
// works once.
import { createHash, randomUUID } from "node:crypto";
import type { Claims, SigningKeys } from "./signing-keys.ts";

export const CLIENT_ID = "backupd-dashboard";

/** How the issuer is set at the moment. */
export interface GrantSettings {
  readonly keys: SigningKeys;
  /** Where the client may be sent back to, after sign-in and sign-out. */
  readonly returns: string[];
  /** Of the tokens from now on. */
  readonly tokenSeconds: number;
  readonly givesRefreshTokens: boolean;
  /** The claims of a good ID token for this person. */
  claims(person: Person, more?: Claims): Claims;
}

export interface Person {
  readonly sub: string;
  readonly email: string;
  readonly groups: readonly string[];
  readonly [claim: string]: unknown;
}

export interface Grants {
  readonly people: readonly Person[];
  /** What is wrong with a request for a code. */
  refusal(query: URLSearchParams): string | undefined;
  /** Where the browser goes with its code. */
  authorize(sub: string, query: URLSearchParams): string;
  /** undefined: invalid_grant. */
  exchange(form: URLSearchParams): Promise<object | undefined>;
  revoke(refreshToken: string): void;
  /** undefined for a place that nobody has named before. */
  afterSignOut(query: URLSearchParams): string | undefined;
}

interface Code {
  readonly person: Person;
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string | null;
}

export function openGrants(issuer: GrantSettings, people: readonly Person[]): Grants {
  const codes = new Map<string, Code>();
  const refreshTokens = new Map<string, Person>();
  const tokensFor = async (person: Person, nonce: string | null): Promise<object> => {
    const refreshToken = randomUUID();
    if (issuer.givesRefreshTokens) refreshTokens.set(refreshToken, person);
    return {
      token_type: "Bearer",
      // As Cognito's: with a client instead of an audience, and without the person's address.
      access_token: await issuer.keys.sign(
        issuer.claims(person, {
          aud: undefined,
          email: undefined,
          client_id: CLIENT_ID,
          token_use: "access",
        }),
      ),
      expires_in: issuer.tokenSeconds,
      id_token: await issuer.keys.sign(issuer.claims(person, nonce === null ? {} : { nonce })),
      ...(issuer.givesRefreshTokens ? { refresh_token: refreshToken } : {}),
    };
  };
  return {
    people,
    refusal(query) {
      if (query.get("client_id") !== CLIENT_ID) return "unknown client";
      if (!issuer.returns.includes(query.get("redirect_uri") ?? "")) return "unknown redirect_uri";
      if (query.get("response_type") !== "code") return "only the code flow";
      if (query.get("code_challenge_method") !== "S256" || !query.get("code_challenge"))
        return "PKCE is required";
      if (!query.get("state") || !query.get("nonce")) return "state and nonce are required";
      return query.get("scope")?.split(" ").includes("openid") ? undefined : "scope openid is required";
    },
    authorize(sub, query) {
      const person = people.find((one) => one.sub === sub);
      if (person === undefined) throw new Error(`There is nobody called ${sub}.`);
      const code = randomUUID();
      const redirectUri = query.get("redirect_uri") ?? "";
      codes.set(code, {
        person,
        redirectUri,
        challenge: query.get("code_challenge") ?? "",
        nonce: query.get("nonce"),
      });
      const back = new URL(redirectUri);
      back.searchParams.set("code", code);
      back.searchParams.set("state", query.get("state") ?? "");
      return back.href;
    },
    async exchange(form) {
      if (form.get("client_id") !== CLIENT_ID) return undefined;
      if (form.get("grant_type") === "refresh_token") {
        const used = form.get("refresh_token") ?? "";
        const person = refreshTokens.get(used);
        refreshTokens.delete(used);
        return person && tokensFor(person, null);
      }
      const code = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      const proof = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      const isGood =
        form.get("grant_type") === "authorization_code" &&
        code?.challenge === proof &&
        code.redirectUri === form.get("redirect_uri");
      return isGood ? tokensFor(code.person, code.nonce) : undefined;
    },
    revoke: (refreshToken) => void refreshTokens.delete(refreshToken),
    afterSignOut(query) {
      const back = query.get("post_logout_redirect_uri") ?? "";
      return issuer.returns.includes(back) ? back : undefined;
    },
  };
}
