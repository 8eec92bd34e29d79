// People from the organisation's issuer at the API itself, over HTTP: with the role of their groups, through new keys and an
// issuer that is away, and never taken for a node, nor a node for them.
import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseConfig } from "#functions/config.ts";
import { openIssuerKeys } from "#functions/stores/jwks.ts";
import { Problem } from "#shared/contracts/common.ts";
import type { RawAnswer } from "#test/helpers/api-client.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { CLIENT_ID, type Person } from "#test/helpers/oidc/grants.ts";
import { type OidcIssuer, startOidcIssuer } from "#test/helpers/oidc/issuer.ts";
import type { Claims } from "#test/helpers/oidc/signing-keys.ts";

const ALICE: Person = { sub: "a1", email: "alice@example.com", groups: ["backupd-admin"], tenant: "*" };
const VERA: Person = {
  sub: "v1",
  email: "vera@example.com",
  groups: ["staff", "backupd-viewer"],
  tenant: "*",
};
const NOBODY: Person = { sub: "n1", email: "nobody@example.com", groups: ["staff"], tenant: "*" };

let issuer: OidcIssuer;
let master: Master;
let node: TestNode;
let aheadMs = 0;
const now = (): Date => new Date(Date.now() + aheadMs);
beforeAll(async () => {
  issuer = await startOidcIssuer({ now });
  master = await startMaster({
    now,
    env: { OIDC_ISSUER: issuer.url, OIDC_CLIENT_ID: CLIENT_ID, OIDC_TENANT_CLAIM: "tenant" },
    deps: { issuerKeys: openIssuerKeys({ oidc: { issuer: issuer.url } }, now) },
  });
  node = await master.enrolNode();
});
afterAll(async () => {
  await master.close();
  await issuer[Symbol.asyncDispose]();
});
beforeEach(() => {
  issuer.fault = "none";
});

const tokenOf = (person: Person, more: Claims = {}): Promise<string> =>
  issuer.keys.sign(issuer.claims(person, more));
async function ask(token: string, method = "GET", path = "/me", request = {}): Promise<RawAnswer> {
  return master.withToken(token).request(method, path, request);
}
async function expectProblem(answer: Promise<RawAnswer>, status: number, code: string): Promise<Problem> {
  const { json, status: got } = await answer;
  expect([got, json?.code]).toEqual([status, code]);
  return Problem.parse(json);
}

describe("people", () => {
  test("have the role that their groups give, and no more", async () => {
    const [alice, vera] = [await tokenOf(ALICE), await tokenOf(VERA)];
    expect((await ask(alice)).json).toEqual({
      ...{ id: "oidc:a1", label: "alice@example.com", role: "admin" },
      tenant: null,
    });
    expect((await ask(vera)).json).toMatchObject({ id: "oidc:v1", role: "viewer" });
    const body = { label: "ci", role: "viewer" };
    await expectProblem(ask(vera, "POST", "/api-tokens", { body }), 403, "role_too_low");
    expect((await ask(alice, "POST", "/api-tokens", { body })).status).toBe(201);
    const [{ actor, action } = { actor: undefined, action: undefined }] = (
      await master.admin.call("listActivity")
    ).items;
    expect([action, actor]).toEqual([
      "api_token.created",
      { kind: "operator", id: "oidc:a1", label: "alice@example.com" },
    ]);
  });

  test("may be in as many groups as an issuer puts into a token", async () => {
    const groups = [...Array.from({ length: 150 }, () => randomUUID()), "backupd-operator"];
    const token = await tokenOf({ ...VERA, groups });
    expect(token.length).toBeGreaterThan(7_000);
    expect((await ask(token)).json).toMatchObject({ role: "operator" });
  });

  test("of a tenant find nothing of anybody else's, and without the claim they are nobody", async () => {
    await master.createSite(node.id, "shop.example.com");
    const of = (tenant: string | undefined): Promise<RawAnswer> =>
      tokenOf(ALICE, { tenant }).then((token) => ask(token, "GET", "/sites"));
    expect((await of("*")).json.items).toHaveLength(1);
    expect((await of("northwind")).json.items).toEqual([]);
    expect((await tokenOf(ALICE, { tenant: "northwind" }).then(ask)).json).toMatchObject({
      tenant: "northwind",
    });
    await expectProblem(of(undefined), 403, "no_role");
  });

  test("without a known group are told how to get a role", async () => {
    const problem = await expectProblem(tokenOf(NOBODY).then(ask), 403, "no_role");
    expect(problem.detail).toContain("nobody@example.com");
    expect(problem.detail).toContain("backupd-viewer");
    expect(problem.hint).toContain("identity provider");
  });

  test("whose token ended are told so, a minute of skew later", async () => {
    const token = await tokenOf(ALICE);
    aheadMs += 3_600_000;
    expect((await ask(token)).status).toBe(200);
    aheadMs += 61_000;
    await expectProblem(ask(token), 401, "token_expired");
  });
});

describe("the issuer", () => {
  test("may change its keys: new tokens work, those of the withdrawn key do not", async () => {
    const before = await tokenOf(ALICE);
    expect((await ask(before)).status).toBe(200);
    await issuer.keys.rotate();
    aheadMs += 31_000;
    expect((await ask(await tokenOf(ALICE))).status).toBe(200);
    await expectProblem(ask(before), 401, "token_invalid");
  });

  test("may be away for a while, and is not bothered by forged tokens", async () => {
    issuer.fault = "down";
    aheadMs += 1_200_000;
    expect((await ask(await tokenOf(ALICE))).status).toBe(200);
    const count = issuer.asked["/.well-known/openid-configuration"];
    for (let at = 0; at < 20; at += 1) {
      const forged = await issuer.keys.sign(issuer.claims(ALICE), { kid: `made up ${at}` });
      await expectProblem(ask(forged), 401, "token_invalid");
    }
    expect(issuer.asked["/.well-known/openid-configuration"]).toBe(count);
  });

  test("that is away too long locks out its people only", async () => {
    issuer.fault = "down";
    aheadMs += 90_000_000;
    const problem = await expectProblem(tokenOf(ALICE).then(ask), 503, "issuer_unreachable");
    expect(problem.retry).toBe("later");
    expect((await master.admin.request("GET", "/me")).status).toBe(200);
    issuer.fault = "none";
    aheadMs += 6_000;
    expect((await tokenOf(ALICE).then(ask)).status).toBe(200);
  });
});

describe("people and nodes are not taken for each other", () => {
  test("an admin's token is no node's", async () => {
    await expectProblem(ask(await tokenOf(ALICE), "GET", "/nodes/config"), 403, "role_too_low");
  });

  test("nor is a token that the issuer signed in the node's name", async () => {
    const token = await tokenOf(ALICE, { iss: node.id, sub: node.id, aud: master.audience });
    await expectProblem(ask(token, "GET", "/nodes/config"), 401, "token_invalid");
  });

  test("a node's token is nobody's, also if it names the issuer, or is for the dashboard", async () => {
    const header = { alg: "EdDSA", kid: String(issuer.keys.current.kid) };
    const forged = await new SignJWT({ ...issuer.claims(ALICE) })
      .setProtectedHeader(header)
      .sign(node.privateKey);
    await expectProblem(ask(forged), 401, "token_invalid");
    await expectProblem(ask(await node.sign({ aud: CLIENT_ID, groups: ALICE.groups })), 401, "token_invalid");
    await expectProblem(ask(await node.sign()), 403, "role_too_low");
  });

  test("an issuer that nobody has configured is nobody", async () => {
    await expectProblem(ask(await tokenOf(ALICE, { iss: "https://evil.example" })), 401, "token_invalid");
  });
});

test("the dashboard learns where to sign in without being signed in; who may see how roles are given is", async () => {
  expect((await master.anonymous.request("GET", "/sign-in")).json).toEqual({
    oidc: { issuer: issuer.url, client_id: CLIENT_ID, scope: "openid email", audience: null, token: "id" },
    link: true,
  });
  await expectProblem(master.anonymous.request("GET", "/roles"), 401, "unauthenticated");
  expect((await ask(await tokenOf(VERA), "GET", "/roles")).json).toMatchObject({
    issuer: issuer.url,
    claim: "groups",
    roles: [
      { role: "viewer", group: "backupd-viewer" },
      { role: "operator", group: "backupd-operator" },
      { role: "admin", group: "backupd-admin" },
    ],
  });
});

describe("the configuration", () => {
  const needed = {
    ...{ STAGE: "test", AWS_REGION: "eu-central-1", TABLE_NAME: "table", BUCKET_NAME: "bucket" },
    ...{ SCHEDULE_GROUP: "g", AUDIENCE: "a", DEAD_LETTER_QUEUE_ARN: "arn:q", SCHEDULER_ROLE_ARN: "arn:s" },
    NODE_ROLE_ARN: "arn:n",
  };
  const parse = (issuer: string, clientId = "dashboard") =>
    parseConfig({ ...needed, OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId }).oidc;

  test("keeps the issuer's name to the letter", () => {
    for (const name of [
      "https://x.eu.auth0.com/",
      "https://login.example.com:8443/realms/ops",
      "http://127.0.0.1:9",
    ])
      expect(parse(name)?.issuer).toBe(name);
    expect(parse("", "")).toBeUndefined();
  });

  test("takes no issuer without TLS or without a client", () => {
    for (const name of [
      "http://login.example.com",
      "http://127.0.0.1.example.com",
      "login.example.com",
      "ftp://x.y",
    ])
      expect(() => parse(name)).toThrow("OIDC_ISSUER");
    expect(() => parse("https://login.example.com", "")).toThrow("OIDC_CLIENT_ID: must be given");
  });
});
