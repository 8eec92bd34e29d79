// What the Master needs of the store of storage secrets: what is sealed opens again, for that provider only, and nothing
// that can be read anywhere else gives it away.
import { armor, Decrypter, generateX25519Identity } from "age-encryption";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openProviderSecrets } from "#functions/stores/provider-secrets.ts";
import { staticCredentials } from "#local/s3/credentials.ts";
import { type SsmServer, startSsm } from "#local/ssm/server.ts";

const NAME = "/backupd/test/storage-identity";
const PROVIDER = "0b8f3a52-5e0c-4b57-9f6a-0d3f3d7f6a11";
const OTHER = "7c1d2e3f-1111-4222-8333-944445555666";
const SECRET = "a+Secret/of=some&storage";

let ssm: SsmServer;
const parameters: Record<string, string> = {};
const former = { ...process.env };
beforeAll(async () => {
  parameters[NAME] = await generateX25519Identity();
  ssm = await startSsm({
    parameters,
    credentials: staticCredentials({ AKIATEST: { secretAccessKey: "key" } }),
    now: () => new Date(),
  });
  Object.assign(process.env, {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "key",
    AWS_ENDPOINT_URL_SSM: ssm.endpoint,
    AWS_MAX_ATTEMPTS: "1",
  });
});
afterAll(async () => {
  await ssm?.[Symbol.asyncDispose]();
  process.env = former;
});

const secrets = openProviderSecrets({ storageIdentityParameter: NAME });

test("what is sealed opens again, and never looks the same twice", async () => {
  const [one, two] = [await secrets.seal(PROVIDER, SECRET), await secrets.seal(PROVIDER, SECRET)];
  expect(one).not.toBe(two);
  expect(`${one}${two}`).not.toContain(SECRET);
  expect([await secrets.open(PROVIDER, one), await secrets.open(PROVIDER, two)]).toEqual([SECRET, SECRET]);
});

test("it opens for no other provider: a sealed secret is of no use in another's record", async () => {
  const sealed = await secrets.seal(PROVIDER, SECRET);
  await expect(secrets.open(OTHER, sealed)).rejects.toMatchObject({ code: "storage_secret_unreadable" });
});

test("it is an ordinary age file that the identity opens", async () => {
  const decrypter = new Decrypter();
  decrypter.addIdentity(parameters[NAME] ?? "");
  const text = await decrypter.decrypt(armor.decode(await secrets.seal(PROVIDER, SECRET)), "text");
  expect(JSON.parse(text)).toEqual({ provider_id: PROVIDER, secret: SECRET });
});

test("what was changed, and what another identity sealed, does not open; errors quote nothing of it", async () => {
  const sealed = await secrets.seal(PROVIDER, SECRET);
  const changed = sealed.replace(/[A-Za-z](?=[^\n]*\n-----END)/, (digit) => (digit === "A" ? "B" : "A"));
  for (const odd of [changed, "", "no age file", sealed.slice(0, 100)]) {
    const error = await secrets.open(PROVIDER, odd).then(String, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "storage_secret_unreadable" });
    expect((error as Error).cause).toBeUndefined();
  }
  const before = parameters[NAME] ?? "";
  parameters[NAME] = await generateX25519Identity();
  await expect(secrets.open(PROVIDER, sealed)).rejects.toMatchObject({ code: "storage_secret_unreadable" });
  parameters[NAME] = before;
});

test("without the parameter nothing is sealed, and the error says what to do", async () => {
  for (const name of [undefined, "/backupd/test/none"]) {
    const none = openProviderSecrets({ storageIdentityParameter: name });
    await expect(none.seal(PROVIDER, SECRET)).rejects.toMatchObject({
      code: "storage_identity_missing",
      hint: expect.stringContaining("npm run deploy"),
    });
  }
});
