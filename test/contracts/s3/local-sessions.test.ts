// Runs the cases of sessions against the local stack's S3 and STS.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll } from "vitest";
import { staticCredentials } from "#local/s3/credentials.ts";
import { startSts } from "#local/sts/server.ts";
import { KEYS, startTestS3 } from "#test/local/s3/local-stack.ts";
import { type SessionSubject, sessionCases, sessionKeys } from "./session-cases.ts";

const ROLE_ARN = "arn:aws:iam::123456789012:role/backupd-node";
/** Asked for where the shortest one is wanted: time goes by in a moment here. */
const SECONDS = 900;

const running = new AsyncDisposableStack();
let on: SessionSubject;

beforeAll(async () => {
  let aheadMs = 0;
  const now = (): Date => new Date(Date.now() + aheadMs);
  const dataDir = await mkdtemp(join(tmpdir(), "backupd-sts-"));
  running.defer(() => rm(dataDir, { recursive: true, force: true }));
  const credentials = staticCredentials({ [KEYS.accessKeyId]: { secretAccessKey: KEYS.secretAccessKey } });
  const sts = running.use(await startSts({ dataDir, port: 0, credentials, now }));
  const { subject } = running.use(await startTestS3({ credentials: sts.credentials, now }));
  const client = new STSClient({ endpoint: sts.endpoint, region: subject.region, credentials: KEYS });
  running.defer(() => client.destroy());
  on = {
    subject,
    roleArn: ROLE_ARN,
    shortestSeconds: 1,
    async assume(Policy, seconds) {
      const DurationSeconds = Math.max(seconds, SECONDS);
      const asked = { RoleArn: ROLE_ARN, RoleSessionName: "node", Policy, DurationSeconds };
      return sessionKeys(await client.send(new AssumeRoleCommand(asked)));
    },
    async pass(seconds) {
      aheadMs += Math.max(seconds, SECONDS + 1) * 1000;
      return { aheadMs };
    },
  };
});
afterAll(() => running.disposeAsync());

sessionCases(() => on);
