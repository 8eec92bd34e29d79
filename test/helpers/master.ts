// A whole Master on loopback for tests: real handlers behind the API host, DynamoDB, SQS, S3, STS and Scheduler on
// free ports with their data in a temporary directory, an admin's client and enrolled nodes.
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { SignJWT } from "jose";
import type { AllDeps } from "#functions/deps.ts";
import { startApiHost } from "#local/api-host/server.ts";
import { startDynamodb } from "#local/dynamodb.ts";
import { staticCredentials } from "#local/s3/credentials.ts";
import type { S3FaultHook } from "#local/s3/faults.ts";
import { type S3Server, startS3 } from "#local/s3/server.ts";
import { type RunningScheduler, startScheduler } from "#local/scheduler/server.ts";
import { type RunningSqs, startSqs } from "#local/sqs.ts";
import { startSts } from "#local/sts/server.ts";
import { createResources } from "#local/tables.ts";
import type { Role } from "#shared/contracts/identity.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { type ApiClient, apiClient } from "./api-client.ts";

const REGION = "us-east-1";
const ACCOUNT = "000000000000";
const KEYS = { accessKeyId: "backupd-test", secretAccessKey: "backupd-test-secret" };
const BOOTSTRAP_TOKEN = "bootstrap-token-of-the-tests";

export interface MasterOptions {
  /** The Master's clock; the stores keep the real one, because they check signatures by it. */
  readonly now?: () => Date;
  readonly env?: Readonly<Record<string, string>>;
  readonly deps?: Partial<AllDeps>;
  readonly s3Faults?: S3FaultHook;
}

export interface TestNode {
  readonly id: string;
  readonly client: ApiClient;
  readonly privateKey: KeyObject;
  readonly signingKey: string;
  readonly ageIdentity: string;
  /** A token as the node signs it, with any claim or the key changed. */
  sign(claims?: Record<string, unknown>, key?: KeyObject): Promise<string>;
}

export interface Master extends AsyncDisposable {
  readonly url: string;
  readonly audience: string;
  readonly bucket: string;
  readonly admin: ApiClient;
  readonly anonymous: ApiClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly s3Server: S3Server;
  readonly sqsServer: RunningSqs;
  readonly scheduler: RunningScheduler;
  /** A client with a fresh API token of that role. */
  operator(role: Role): Promise<ApiClient>;
  withToken(token: string): ApiClient;
  enrolNode(name?: string): Promise<TestNode>;
  createSite(nodeId: string, name?: string, path?: string): Promise<Site>;
  /** Every item of the table, in a fixed order. */
  dumpTable(): Promise<unknown[]>;
  close(): Promise<void>;
}

export async function startMaster(options: MasterOptions = {}): Promise<Master> {
  const stack = new AsyncDisposableStack();
  try {
    return await startOn(stack, options);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function startOn(stack: AsyncDisposableStack, options: MasterOptions): Promise<Master> {
  const now = options.now ?? ((): Date => new Date());
  const clock = (): Date => new Date();
  const dataDir = await mkdtemp(join(tmpdir(), "backupd-master-"));
  stack.defer(() => rm(dataDir, { recursive: true }));
  const own = staticCredentials({ [KEYS.accessKeyId]: { secretAccessKey: KEYS.secretAccessKey } });
  const [dynamodb, sqs, sts] = await Promise.all([
    startDynamodb({ dataDir: join(dataDir, "dynamodb"), port: 0 }),
    startSqs({ dataDir: join(dataDir, "sqs"), port: 0, region: REGION }),
    startSts({ dataDir: join(dataDir, "sts"), port: 0, credentials: own, now: clock }),
  ]);
  stack.use(dynamodb);
  stack.use(sqs);
  stack.use(sts);
  const s3 = stack.use(
    await startS3({
      dataDir: join(dataDir, "s3"),
      port: 0,
      credentials: sts.credentials,
      now: clock,
      ...(options.s3Faults === undefined ? {} : { faults: options.s3Faults }),
    }),
  );
  const scheduler = stack.use(
    await startScheduler({
      dataDir: join(dataDir, "scheduler"),
      port: 0,
      region: REGION,
      deliver: async (queueArn, body) => sqs.send(queueArn, body),
    }),
  );

  const names = {
    tableName: "backupd-test",
    bucketName: "backupd-test-archives",
    deadLetterQueueName: "backupd-test-dead-letters",
    scheduleGroup: "backupd-test",
  };
  const settings = (endpoint: string): { region: string; endpoint: string; credentials: typeof KEYS } => ({
    region: REGION,
    endpoint,
    credentials: KEYS,
  });
  await createResources(names, {
    dynamodb: settings(dynamodb.endpoint),
    s3: settings(s3.endpoint),
    sqs: settings(sqs.endpoint),
    scheduler: settings(scheduler.endpoint),
  });
  const audience = "backupd-master-test";
  const host = stack.use(
    await startApiHost({
      port: 0,
      onError: (error) => console.error("handler threw:", error),
      deps: { now, ...options.deps },
      env: {
        STAGE: "test",
        VERSION: "0.0.0-test",
        LOG_LEVEL: "SILENT",
        TABLE_NAME: names.tableName,
        BUCKET_NAME: names.bucketName,
        DEAD_LETTER_QUEUE_ARN: `arn:aws:sqs:${REGION}:${ACCOUNT}:${names.deadLetterQueueName}`,
        SCHEDULE_GROUP: names.scheduleGroup,
        SCHEDULER_ROLE_ARN: `arn:aws:iam::${ACCOUNT}:role/scheduler`,
        NODE_ROLE_ARN: `arn:aws:iam::${ACCOUNT}:role/node`,
        AUDIENCE: audience,
        BOOTSTRAP_TOKEN_SHA256: createHash("sha256").update(BOOTSTRAP_TOKEN).digest("hex"),
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
        AWS_ENDPOINT_URL_SQS: sqs.endpoint,
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ENDPOINT_URL_STS: sts.endpoint,
        AWS_ENDPOINT_URL_SCHEDULER: scheduler.endpoint,
        ...options.env,
      },
    }),
  );

  const dump = new DynamoDBClient(settings(dynamodb.endpoint));
  const s3Client = new S3Client(settings(s3.endpoint));
  const sqsClient = new SQSClient(settings(sqs.endpoint));
  stack.defer(() => {
    for (const client of [dump, s3Client, sqsClient]) client.destroy();
  });
  const withToken = (token: string): ApiClient => apiClient(host.url, async () => token);
  const admin = withToken(BOOTSTRAP_TOKEN);
  const master: Master = {
    url: host.url,
    audience,
    bucket: names.bucketName,
    admin,
    anonymous: apiClient(host.url, async () => undefined),
    s3: s3Client,
    sqs: sqsClient,
    s3Server: s3,
    sqsServer: sqs,
    scheduler,
    withToken,
    async operator(role) {
      return withToken((await admin.call("createApiToken", { body: { label: role, role } })).token);
    },
    async enrolNode(name = "web1.example.com") {
      const { token } = await admin.call("createEnrollmentToken", { body: {} });
      return enrol(host.url, token, name, audience, now);
    },
    createSite(nodeId, name = "shop.example.com", path = `/var/www/${name}`) {
      return admin.call("createSite", { body: { node_id: nodeId, name, path } });
    },
    async dumpTable() {
      const { Items = [] } = await dump.send(
        new ScanCommand({ TableName: names.tableName, ConsistentRead: true }),
      );
      return Items.map((item) => JSON.stringify(item, Object.keys(item).sort())).sort();
    },
    close: () => stack.disposeAsync(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return master;
}

/** What `backupd enroll` does, by hand. */
export async function enrol(
  url: string,
  token: string,
  name: string,
  audience: string,
  now: () => Date,
): Promise<TestNode> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const signingKey = String(publicKey.export({ format: "jwk" }).x);
  const ageIdentity = await generateX25519Identity();
  const { node_id: id } = await apiClient(url, async () => undefined).call("enrollNode", {
    body: {
      token,
      name,
      signing_key: signingKey,
      age_recipient: await identityToRecipient(ageIdentity),
      version: "test",
    },
  });
  const sign: TestNode["sign"] = (claims = {}, key = privateKey) => {
    const iat = Math.floor(now().getTime() / 1000);
    const payload = { iss: id, sub: id, aud: audience, iat, exp: iat + 60, jti: randomUUID(), ...claims };
    return new SignJWT(payload).setProtectedHeader({ alg: "EdDSA" }).sign(key);
  };
  return { id, signingKey, privateKey, ageIdentity, sign, client: apiClient(url, () => sign()) };
}
