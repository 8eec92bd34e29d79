// Sign-in at the organisation's issuer: authorization code with PKCE, by oidc-client-ts, which checks state and nonce. Loaded
// only when somebody signs in or out there, or a token is renewed. Its notes for the way back are in sessionStorage, too.
import { ErrorResponse, OidcClient, type SigninResponse, WebStorageStateStore } from "oidc-client-ts";
import type { SignIn } from "#shared/contracts/sign-in.ts";
import { beginSession, type Session } from "./session.ts";
import { RETURN_PATH, signInSettings } from "./sign-in-settings.ts";

/** Part of an address, and many groups make a token long; without it some issuers ask whether to sign out. */
const MAX_HINT = 4_000;

type Issuer = NonNullable<SignIn["oidc"]>;
type Tokens = Pick<Session, "token"> & Partial<Pick<Session, "endsMs" | "refreshToken">>;

/** Leaves this page for the issuer's; `path` is where to be afterwards. */
export async function beginSignIn(path: string): Promise<void> {
  const issuer = await ourIssuer();
  const request = await clientOf(issuer).createSigninRequest({ state: { path }, nonce: crypto.randomUUID() });
  location.assign(request.url);
}

/** Begins the session that the issuer's answer in `url` is for; returns where to go on. Throws if it is not good. */
export async function finishSignIn(url: string): Promise<string> {
  const issuer = await ourIssuer();
  const response = await clientOf(issuer).processSigninResponse(url);
  const tokens = tokensOf(issuer, response);
  if (tokens === undefined) throw new Error("The issuer gave no token that this Master takes.");
  beginSession({ via: "issuer", ...tokens });
  const { path } = response.userState as { path: string };
  return path;
}

/** `refused` once and for all; throws when the issuer cannot be reached. */
export async function renewTokens({ token, refreshToken = "" }: Session): Promise<Tokens | "refused"> {
  const issuer = await ourIssuer();
  const state = {
    refresh_token: refreshToken,
    session_state: null,
    scope: issuer.scope,
    profile: { sub: "", iss: issuer.issuer, aud: issuer.client_id, exp: 0, iat: 0 },
    ...(issuer.token === "id" ? { id_token: token } : {}),
  };
  try {
    const response = await clientOf(issuer).useRefreshToken({ state, timeoutInSeconds: 10 });
    const tokens = tokensOf(issuer, response);
    return tokens === undefined || tokens.token === token ? "refused" : { refreshToken, ...tokens };
  } catch (error) {
    if (error instanceof ErrorResponse) return "refused";
    throw error;
  }
}

/** Gives the refresh token up; returns where to end the issuer's own session, if it has such a place. */
export async function leaveIssuer({ token, refreshToken }: Session): Promise<string | undefined> {
  const issuer = await ourIssuer();
  const client = clientOf(issuer);
  const back = `${location.origin}/`;
  if (refreshToken !== undefined)
    await client.revokeToken(refreshToken, "refresh_token").catch(() => undefined);
  const request = await client.createSignoutRequest({
    ...(issuer.token === "id" && token.length < MAX_HINT ? { id_token_hint: token } : {}),
    client_id: issuer.client_id,
    post_logout_redirect_uri: back,
    // Cognito's own name for it; others do not know it.
    extraQueryParams: { logout_uri: back },
  });
  return request.url;
}

async function ourIssuer(): Promise<Issuer> {
  const { oidc } = await signInSettings();
  if (oidc === null) throw new Error("This Master has no issuer.");
  return oidc;
}

function clientOf({ issuer, client_id, scope, audience }: Issuer): OidcClient {
  return new OidcClient({
    authority: issuer,
    client_id,
    scope,
    redirect_uri: location.origin + RETURN_PATH,
    response_type: "code",
    fetchRequestCredentials: "omit",
    requestTimeoutInSeconds: 15,
    stateStore: new WebStorageStateStore({ prefix: "sign-in.", store: sessionStorage }),
    ...(audience === null ? {} : { extraQueryParams: { audience } }),
  });
}

/** Lives are counted from now: the issuer's clock is not this browser's. */
function tokensOf({ token: kind }: Issuer, response: SigninResponse): Tokens | undefined {
  const { id_token: idToken, access_token: accessToken, refresh_token: refreshToken, profile } = response;
  const token = kind === "id" ? idToken : accessToken;
  const seconds = kind === "id" ? Number(profile.exp) - Number(profile.iat) : response.expires_in;
  if (token === undefined || token === "") return undefined;
  return {
    token,
    ...(seconds === undefined ? {} : { endsMs: Date.now() + seconds * 1000 }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
  };
}
