// A whole Master on loopback for tests: real handlers behind the API host, DynamoDB, SQS, S3, STS and Scheduler on
// free ports with their data in a temporary directory, an admin's client and enrolled nodes.
import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { SignJWT } from "jose";
import type { AllDeps } from "#functions/deps.ts";
import type { S3FaultHook } from "#local/s3/faults.ts";
import type { S3Server } from "#local/s3/server.ts";
import type { RunningScheduler } from "#local/scheduler/server.ts";
import type { RunningSqs } from "#local/sqs.ts";
import { type Stack, type StackOptions, startStack } from "#local/stack.ts";
import type { Role } from "#shared/contracts/identity.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { makeTempDir } from "#test/local/demo/temp-dir.ts";
import { type ApiClient, apiClient } from "./api-client.ts";

/** Of serverless.yml: the stack's own are made for watching a demo. */
const DEPLOYED_DEFAULTS = { PROGRESS_SECONDS: "10", HEARTBEAT_SECONDS: "60" };

export interface MasterOptions {
  /** The Master's clock; the stores keep the real one, because they check signatures by it. */
  readonly now?: () => Date;
  readonly env?: Readonly<Record<string, string>>;
  readonly deps?: Partial<AllDeps>;
  readonly s3Faults?: S3FaultHook;
  readonly onCall?: StackOptions["onCall"];
  readonly storedDelaySeconds?: number;
  /** Of a built dashboard, served beside the API. */
  readonly dashboardDir?: string;
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
  /** Runs a function of the Master that no HTTP call reaches. */
  readonly invoke: Stack["invoke"];
  /** A one-time link into the dashboard. */
  signInLink(): string;
  /** A client with a fresh API token of that role, of the whole fleet or of a tenant. */
  operator(role: Role, tenant?: string): Promise<ApiClient>;
  withToken(token: string): ApiClient;
  enrolNode(name?: string, tenant?: string): Promise<TestNode>;
  createSite(nodeId: string, name?: string, path?: string): Promise<Site>;
  /** Every item of the table, in a fixed order. */
  dumpTable(): Promise<unknown[]>;
  close(): Promise<void>;
}

export async function startMaster(options: MasterOptions = {}): Promise<Master> {
  await using starting = new AsyncDisposableStack();
  const now = options.now ?? ((): Date => new Date());
  const { path: dir } = starting.use(await makeTempDir());
  const stack = starting.use(
    await startStack({
      dir,
      firstPort: 0,
      env: { VERSION: "0.0.0-test", ...DEPLOYED_DEFAULTS, ...options.env },
      deps: { now, ...options.deps },
      onError: (error) => console.error("handler threw:", error),
      ...(options.s3Faults === undefined ? {} : { s3Faults: options.s3Faults }),
      ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
      ...(options.storedDelaySeconds === undefined ? {} : { storedDelaySeconds: options.storedDelaySeconds }),
      ...(options.dashboardDir === undefined ? {} : { dashboardDir: options.dashboardDir }),
    }),
  );
  const { region, masterKeys: credentials, env } = stack;
  const client = (
    service: string,
  ): { region: string; endpoint: string; credentials: typeof credentials } => ({
    region,
    endpoint: env[`AWS_ENDPOINT_URL_${service}`] ?? "",
    credentials,
  });
  const dump = new DynamoDBClient(client("DYNAMODB"));
  const s3Client = new S3Client(client("S3"));
  const sqsClient = new SQSClient(client("SQS"));
  starting.defer(() => {
    for (const each of [dump, s3Client, sqsClient]) each.destroy();
  });
  const running = starting.move();
  const audience = env["AUDIENCE"] ?? "";
  const withToken = (token: string): ApiClient => apiClient(stack.apiUrl, async () => token);
  const admin = withToken(stack.adminToken);
  const master: Master = {
    url: stack.apiUrl,
    audience,
    bucket: stack.bucket,
    admin,
    anonymous: apiClient(stack.apiUrl, async () => undefined),
    s3: s3Client,
    sqs: sqsClient,
    s3Server: stack.s3,
    sqsServer: stack.sqs,
    scheduler: stack.scheduler,
    invoke: stack.invoke,
    signInLink: () => stack.dashboard?.signInLink() ?? "",
    withToken,
    async operator(role, tenant) {
      const body = { label: role, role, ...(tenant === undefined ? {} : { tenant }) };
      return withToken((await admin.call("createApiToken", { body })).token);
    },
    async enrolNode(name = "web1.example.com", tenant) {
      const body = tenant === undefined ? {} : { tenant };
      const { token } = await admin.call("createEnrollmentToken", { body });
      return enrol(stack.apiUrl, token, name, audience, now);
    },
    createSite(nodeId, name = "shop.example.com", path = `/var/www/${name}`) {
      return admin.call("createSite", { body: { node_id: nodeId, name, path } });
    },
    async dumpTable() {
      const { Items = [] } = await dump.send(
        new ScanCommand({ TableName: env["TABLE_NAME"], ConsistentRead: true }),
      );
      return Items.map((item) => JSON.stringify(item, sortedKeys)).sort();
    },
    close: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
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

/** DynamoDB gives the keys of maps in any order. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
