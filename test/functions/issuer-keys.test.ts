// The issuer's keys as the Master holds them: a new key is found, nobody can have the issuer asked again and again, and its
// being away does not lock everybody out.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type IssuerKeys, openIssuerKeys } from "#functions/stores/jwks.ts";
import { type OidcIssuer, startOidcIssuer } from "#test/helpers/oidc/issuer.ts";

let issuer: OidcIssuer;
let keys: IssuerKeys;
let nowMs: number;
beforeEach(async () => {
  nowMs = Date.parse("2026-11-28T12:00:00Z");
  issuer = await startOidcIssuer();
  keys = openIssuerKeys({ oidc: { issuer: issuer.url } }, () => new Date(nowMs));
});
afterEach(() => issuer[Symbol.asyncDispose]());

const passSeconds = (seconds: number): void => {
  nowMs += seconds * 1000;
};
const current = (): string => String(issuer.keys.current.kid);
const asked = (): number => issuer.asked["/.well-known/openid-configuration"] ?? 0;
async function knows(kid: string): Promise<boolean> {
  const found = await keys.lookUp(kid);
  return found.keys?.keys.some((key) => key.kid === kid) ?? false;
}

test("asked for once, and kept", async () => {
  for (let count = 0; count < 5; count += 1) expect(await knows(current())).toBe(true);
  expect([asked(), issuer.asked["/keys"]]).toEqual([1, 1]);
});

test("the issuer's new key is found, and its old one forgotten", async () => {
  const old = current();
  await knows(old);
  await issuer.keys.rotate();
  passSeconds(31);
  expect(await knows(current())).toBe(true);
  expect(await knows(old)).toBe(false);
  expect(asked()).toBe(2);
});

test("a withdrawn key is forgotten although nobody has asked for another", async () => {
  const old = current();
  await knows(old);
  await issuer.keys.rotate();
  passSeconds(601);
  expect(await knows(old)).toBe(false);
});

test("a storm of key ids that nobody knows is two requests in half a minute", async () => {
  await knows(current());
  passSeconds(31);
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => keys.lookUp(`made up ${round} ${at}`)));
    passSeconds(5);
  }
  expect(asked()).toBe(2);
});

test("many at once at the beginning wait for one answer", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => keys.lookUp(current())));
  expect(all.every(({ keys: found }) => found?.keys.length === 1)).toBe(true);
  expect(asked()).toBe(1);
});

test.each(["down", "error", "another name"] as const)(
  "an issuer that is %s: the keys at hand are good for a day, and it is not asked all the time",
  async (fault) => {
    await knows(current());
    issuer.fault = fault;
    passSeconds(3600);
    const { keys: found, fault: why } = await keys.lookUp(current());
    expect([found?.keys.length, why]).toEqual([1, expect.any(Error)]);
    for (let count = 0; count < 50; count += 1) expect((await keys.lookUp("made up")).fault).toBeUndefined();
    expect(asked()).toBe(2);
    passSeconds(86_400);
    expect((await keys.lookUp(current())).keys).toBeUndefined();
    issuer.fault = "none";
    passSeconds(5);
    expect(await knows(current())).toBe(true);
  },
);

test("an issuer that says nothing is not waited for", async () => {
  issuer.fault = "silent";
  const hasty = openIssuerKeys({ oidc: { issuer: issuer.url } }, () => new Date(nowMs), 20);
  const { keys: found, fault } = await hasty.lookUp(current());
  expect([found, String(fault)]).toEqual([undefined, expect.stringContaining("TimeoutError")]);
});

test("where no issuer is configured nobody is asked", async () => {
  expect(await openIssuerKeys({ oidc: undefined }).lookUp("x")).toEqual({ keys: undefined });
});
