// The keys of the tests' issuer: what it signs with, what it publishes, and what becomes of both when keys change.
import { randomUUID } from "node:crypto";
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";

/** As JSON: what is undefined is not in the token. */
export type Claims = Readonly<Record<string, unknown>>;

export interface SigningKeys {
  readonly published: JSONWebKeySet;
  /** The public key that signatures are checked with now. */
  readonly current: JWK;
  sign(claims: Claims, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** Signs with a new key from now on; the one before is withdrawn. */
  rotate(): Promise<void>;
}

export async function makeSigningKeys(alg: "RS256" | "ES256" | "EdDSA" = "ES256"): Promise<SigningKeys> {
  let current = await makeKey(alg);
  return {
    get published() {
      return { keys: [current.publicJwk] };
    },
    get current() {
      return current.publicJwk;
    },
    sign: (claims, header = {}) =>
      new SignJWT(claims as JWTPayload)
        .setProtectedHeader({ alg, kid: String(current.publicJwk.kid), ...header })
        .sign(current.privateKey),
    async rotate() {
      current = await makeKey(alg);
    },
  };
}

async function makeKey(alg: string): Promise<{ privateKey: CryptoKey; publicJwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), alg, use: "sig", kid: randomUUID() } };
}
