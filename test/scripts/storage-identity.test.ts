// The storage identity is made once: a second deployment, whoever runs it, leaves it as it is.
import { SSMClient } from "@aws-sdk/client-ssm";
import { identityToRecipient } from "age-encryption";
import { expect, test } from "vitest";
import { staticCredentials } from "#local/s3/credentials.ts";
import { startSsm } from "#local/ssm/server.ts";
import { ensureStorageIdentity } from "../../scripts/storage-identity.ts";

const NAME = "/backupd/prod/storage-identity";

test("a deployment makes the storage identity, and no deployment replaces it", async () => {
  const parameters: Record<string, string> = {};
  const credentials = staticCredentials({ AKIA: { secretAccessKey: "key" } });
  await using ssm = await startSsm({ parameters, credentials, now: () => new Date() });
  const place = { region: "us-east-1", endpoint: ssm.endpoint };
  const client = new SSMClient({ ...place, credentials: { accessKeyId: "AKIA", secretAccessKey: "key" } });
  expect(await ensureStorageIdentity(NAME, client)).toBe(true);
  const made = parameters[NAME] ?? "";
  expect(await identityToRecipient(made)).toMatch(/^age1/);
  expect(await ensureStorageIdentity(NAME, client)).toBe(false);
  expect(parameters[NAME]).toBe(made);
  client.destroy();
});
