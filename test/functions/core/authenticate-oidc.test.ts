// A person's token: who may come in with what role, and everything that must not get anybody in.
import { generateKeyPairSync } from "node:crypto";
import { type CryptoKey, exportSPKI, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { authenticateOidc, claimedKeyId, type OidcSettings } from "#functions/core/authenticate-oidc.ts";
import { type Claims, makeSigningKeys } from "#test/helpers/oidc/signing-keys.ts";

const NOW = new Date("2026-11-28T12:00:00Z");
const at = (seconds: number): number => NOW.getTime() / 1000 + seconds;
const SETTINGS: OidcSettings = {
  issuer: "https://login.example.com/realm",
  clientId: "dashboard",
  audience: undefined,
  scope: "openid",
  roleClaim: "groups",
  groups: { viewer: "backupd-viewer", operator: "backupd-operator", admin: "backupd-admin" },
  tenantClaim: undefined,
};
const CLAIMS: Claims = {
  iss: SETTINGS.issuer,
  aud: SETTINGS.clientId,
  sub: "248289761001",
  iat: at(-10),
  exp: at(3590),
  email: "alice@example.com",
  groups: ["staff", "backupd-operator"],
};
const COGNITO: Claims = {
  ...CLAIMS,
  aud: undefined,
  email: undefined,
  client_id: SETTINGS.clientId,
  token_use: "access",
  username: "alice",
};
const keys = await makeSigningKeys();

async function authenticate(claims: Claims, more: Partial<OidcSettings> = {}, header = {}): Promise<unknown> {
  return authenticateOidc(await keys.sign(claims, header), keys.published, { ...SETTINGS, ...more }, NOW);
}
const ALICE = { kind: "operator", id: "oidc:248289761001", label: "alice@example.com", role: "operator" };

test.each(["RS256", "ES256", "EdDSA"] as const)("a good ID token signed with %s is somebody", async (alg) => {
  const own = await makeSigningKeys(alg);
  expect(await authenticateOidc(await own.sign(CLAIMS), own.published, SETTINGS, NOW)).toEqual(ALICE);
});

describe("refused is", () => {
  test.each<[string, Claims, string]>([
    ["an expired one", { exp: at(-61) }, "token_expired"],
    ["one that is not valid yet", { nbf: at(61) }, "token_invalid"],
    ["one from the future", { iat: at(61), exp: at(3600) }, "token_invalid"],
    ["one that lives for two days", { exp: at(2 * 86_400) }, "token_invalid"],
    ["one without an end", { exp: undefined }, "token_invalid"],
    ["one without a beginning", { iat: undefined }, "token_invalid"],
    ["one about nobody", { sub: undefined }, "token_invalid"],
    ["another issuer's", { iss: "https://login.example.com/realm2" }, "token_invalid"],
    ["one whose issuer only begins alike", { iss: `${SETTINGS.issuer}/` }, "token_invalid"],
    ["one for another client", { aud: "other" }, "token_invalid"],
    ["one for nobody", { aud: undefined }, "token_invalid"],
    ["one for us that another client got", { aud: ["dashboard", "other"], azp: "other" }, "token_invalid"],
    ["Cognito's refresh or other token", { token_use: "refresh" }, "token_invalid"],
    [
      "a logout token",
      { events: { "http://schemas.openid.net/event/backchannel-logout": {} } },
      "token_invalid",
    ],
  ])("%s", async (_name, claims, code) => {
    expect(await authenticate({ ...CLAIMS, ...claims })).toEqual({ denied: code });
  });

  test("one of another type", async () => {
    expect(await authenticate(CLAIMS, {}, { typ: "logout+jwt" })).toEqual({ denied: "token_invalid" });
    expect(await authenticate(CLAIMS, {}, { typ: "at+jwt" })).toEqual(ALICE);
  });

  test("one without a signature, and one signed with the public key as a password", async () => {
    const unsigned = new UnsecuredJWT({ ...CLAIMS }).encode();
    const publicKey = (await importJWK(keys.current)) as CryptoKey;
    const secret = Buffer.from(await exportSPKI(publicKey));
    const header = { alg: "HS256", kid: String(keys.current.kid) };
    const forged = await new SignJWT({ ...CLAIMS }).setProtectedHeader(header).sign(secret);
    // Even if the issuer were to publish such a key.
    const withSecret = {
      keys: [...keys.published.keys, { kty: "oct", k: secret.toString("base64url"), kid: "s" }],
    };
    const own = await new SignJWT({ ...CLAIMS }).setProtectedHeader({ alg: "HS256", kid: "s" }).sign(secret);
    for (const token of [unsigned, forged, own])
      expect(await authenticateOidc(token, withSecret, SETTINGS, NOW)).toEqual({ denied: "token_invalid" });
  });

  test("one signed with another key that says it is ours, or with one that nobody knows", async () => {
    const others = await makeSigningKeys();
    for (const kid of [keys.current.kid, others.current.kid]) {
      const token = await others.sign(CLAIMS, { kid: String(kid) });
      expect(await authenticateOidc(token, keys.published, SETTINGS, NOW)).toEqual({
        denied: "token_invalid",
      });
    }
  });

  test("rubbish, and a node's kind of token", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const node = await new SignJWT({ ...CLAIMS, iss: "0b8f3a52-5e0c-4b57-9f6a-0d3f3d7f6a11" })
      .setProtectedHeader({ alg: "EdDSA" })
      .sign(privateKey);
    for (const token of ["rubbish", "a.b.c", node])
      expect(await authenticateOidc(token, keys.published, SETTINGS, NOW)).toEqual({
        denied: "token_invalid",
      });
    expect(claimedKeyId("rubbish")).toBeUndefined();
  });
});

test.each([
  ["fast", { iat: at(59), nbf: at(59), exp: at(3600) }],
  ["slow", { exp: at(-59) }],
])("an issuer whose clock is a minute %s is borne with", async (_name, claims) => {
  expect(await authenticate({ ...CLAIMS, ...claims })).toEqual(ALICE);
});

describe("access tokens", () => {
  test("Cognito's name the client and no audience", async () => {
    expect(await authenticate(COGNITO)).toEqual({ ...ALICE, label: "alice" });
    for (const wrong of [{ client_id: "other" }, { token_use: "id" }, { token_use: undefined }])
      expect(await authenticate({ ...COGNITO, ...wrong })).toEqual({ denied: "token_invalid" });
  });

  test("where an audience is configured, only tokens for it are taken", async () => {
    const audience = "https://backupd.example.com";
    expect(await authenticate({ ...CLAIMS, aud: ["x", audience], azp: "a-program" }, { audience })).toEqual(
      ALICE,
    );
    for (const claims of [CLAIMS, COGNITO])
      expect(await authenticate(claims, { audience })).toEqual({ denied: "token_invalid" });
  });
});

describe("roles", () => {
  const roleWith = async (claims: Claims, roleClaim = "groups"): Promise<unknown> => {
    const who = (await authenticate({ ...CLAIMS, groups: undefined, ...claims }, { roleClaim })) as {
      role?: string;
      denied?: string;
    };
    return who.role ?? who.denied;
  };

  test("the highest that any group gives", async () => {
    expect(await roleWith({ groups: ["backupd-viewer", "backupd-admin", "backupd-operator"] })).toBe("admin");
    expect(await roleWith({ groups: ["backupd-viewer"] })).toBe("viewer");
    expect(await roleWith({ groups: "backupd-viewer" })).toBe("viewer");
  });

  test("from the claim that is configured, also deep down or with dots in its name", async () => {
    expect(await roleWith({ "cognito:groups": ["backupd-admin"] }, "cognito:groups")).toBe("admin");
    expect(await roleWith({ realm_access: { roles: ["backupd-admin"] } }, "realm_access.roles")).toBe(
      "admin",
    );
    expect(await roleWith({ "https://x.example/roles": ["backupd-admin"] }, "https://x.example/roles")).toBe(
      "admin",
    );
  });

  test.each<[string, unknown]>([
    ["none", []],
    ["no claim", undefined],
    ["others", ["admin", "viewer", "backupd-admins", "BACKUPD-ADMIN"]],
    ["something else", { "backupd-admin": true }],
    ["a number", 7],
    ["lists of lists", [["backupd-admin"]]],
  ])("none at all for groups that are %s, and the answer says what would give one", async (_name, groups) => {
    expect(await authenticate({ ...CLAIMS, groups })).toEqual({
      denied: "no_role",
      detail:
        "alice@example.com is in none of the groups that give a role (claim groups): backupd-viewer, backupd-operator, backupd-admin.",
    });
    expect(await roleWith({ groups: ["backupd-admin"] }, "__proto__.groups")).toBe("no_role");
  });
});

describe("where tenants are told apart", () => {
  const bound = (tenant: unknown): Promise<unknown> =>
    authenticate({ ...CLAIMS, "custom:tenant": tenant }, { tenantClaim: "custom:tenant" });

  test("a token binds to the tenant that it names, or to none by an asterisk", async () => {
    expect(await bound("northwind")).toEqual({ ...ALICE, tenant: "northwind" });
    expect(await bound(["northwind"])).toEqual({ ...ALICE, tenant: "northwind" });
    expect(await bound("*")).toEqual(ALICE);
  });

  test.each([undefined, "", null, "North Wind", ["a", "b"], ["*", "a"], {}, 7])(
    "%j opens nothing",
    async (tenant) => {
      expect(await bound(tenant)).toEqual({
        denied: "no_role",
        detail: "alice@example.com has no tenant here: the claim custom:tenant has to name one, or *.",
      });
    },
  );
});

test("a label is what people know each other by, without tricks", async () => {
  const label = async (claims: Claims): Promise<unknown> =>
    ((await authenticate({ ...CLAIMS, email: undefined, ...claims })) as { label: string }).label;
  expect(await label({})).toBe("248289761001");
  expect(await label({ preferred_username: "alice" })).toBe("alice");
  expect(await label({ email: "boss@example.com", email_verified: false, username: "mallory" })).toBe(
    "mallory",
  );
  expect(await label({ username: "a\u202Eb\nc\u0000" })).toBe("a b c");
  expect(await label({ username: "x".repeat(500) })).toHaveLength(120);
});
