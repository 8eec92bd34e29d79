// Everything the Master stands on, and the Master itself, on loopback in one process: DynamoDB, SQS, S3, STS, SSM
// and EventBridge Scheduler by their real protocols, and the Lambda handlers behind the API host. State is in one directory.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SQSBatchResponse } from "aws-lambda";
import type { AllDeps } from "#functions/deps.ts";
import { tryLock } from "#runner/io/lock.ts";
import { type ApiHost, startApiHost } from "./api-host/server.ts";
import { type Dashboard, openDashboard } from "./dashboard/serve-dashboard.ts";
import { startDynamodb } from "./dynamodb.ts";
import type { EnforcementOptions } from "./iam/enforce-roles.ts";
import { localArns } from "./iam/local-arns.ts";
import { openObjectRules } from "./object-rules.ts";
import { pollQueue } from "./queue-poller.ts";
import { runRules } from "./rules.ts";
import { staticCredentials } from "./s3/credentials.ts";
import type { S3FaultHook } from "./s3/faults.ts";
import { type S3Server, startS3 } from "./s3/server.ts";
import { type RunningScheduler, type SchedulerOptions, startScheduler } from "./scheduler/server.ts";
import { type RunningSqs, startSqs } from "./sqs.ts";
import { ALERT_TARGETS, keptParameter } from "./ssm/kept-parameter.ts";
import { startSsm } from "./ssm/server.ts";
import { ensureStorageIdentity, STORAGE_IDENTITY } from "./ssm/storage-identity.ts";
import { ensureStackState, forgetStackState, type StackState } from "./stack-state.ts";
import { type StsOptions, startSts } from "./sts/server.ts";
import { createResources } from "./tables.ts";

export interface StackOptions {
  readonly dir: string;
  /** Of the ports, when the stack is made; 0 for any. */
  readonly firstPort: number;
  /** More of the Master's environment, for instance LEASE_SECONDS. */
  readonly env?: Readonly<Record<string, string>>;
  /** Replaces parts of what the Master's handlers work with, for instance the clock. */
  readonly deps?: Partial<AllDeps>;
  readonly s3Faults?: S3FaultHook;
  readonly sessionSeconds?: StsOptions["sessionSeconds"];
  /** How long a new archive has to wait until the function `stored` looks at it; as on AWS if left out. */
  readonly storedDelaySeconds?: number;
  /** Of the built dashboard, to be served beside the API. */
  readonly dashboardDir?: string;
  /** The Scheduler's clock. */
  readonly schedulerTime?: Pick<SchedulerOptions, "now" | "wake">;
  readonly onError?: (error: unknown) => void;
  /** Told of each permission that a function of the Master needed, and of the call that needed it. */
  readonly onCall?: EnforcementOptions["onCall"];
}

export interface Stack extends AsyncDisposable {
  readonly apiUrl: string;
  readonly adminToken: string;
  readonly bucket: string;
  readonly region: string;
  readonly ports: StackState["ports"];
  readonly masterKeys: StackState["masterKeys"];
  readonly s3: S3Server;
  readonly sqs: RunningSqs;
  readonly scheduler: RunningScheduler;
  readonly dashboard: Dashboard | undefined;
  /** The Master's environment without what it was started with: what an SDK client needs to reach this stack. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a function of the Master that no HTTP call reaches. */
  readonly invoke: ApiHost["invoke"];
  /** Throws if a service of the stack has ended by itself. */
  throwIfCrashed(): void;
  close(): Promise<void>;
}

const REGION = "us-east-1";
const ACCOUNT = "000000000000";
/** The roles of the local stack are for this one. */
export const LOCAL_BUCKET = "backupd-local-archives";
const NAMES = {
  tableName: "backupd-local",
  bucketName: LOCAL_BUCKET,
  deadLetterQueueName: "backupd-local-dead-letters",
  storedQueueName: "backupd-local-stored",
  scheduleGroup: "backupd-local",
};
const ARNS = localArns(NAMES, { region: REGION, account: ACCOUNT });
/** By their logical ids in infra/. */
const QUEUE_ARNS: Readonly<Record<string, string>> = { StoredQueue: ARNS.stored_queue };

const ATTEMPTS = 5;

/** One per process: Lambda handlers share the process' environment. */
export async function startStack(options: StackOptions): Promise<Stack> {
  for (let attempt = 1; ; attempt += 1) {
    const { state, isNew } = await ensureStackState(options.dir, options.firstPort);
    try {
      return await startOn(state, options);
    } catch (error) {
      // A port that was free as it was chosen may be another's, or a connection's, by the time that it is listened on.
      const mayChoose = isNew && options.firstPort === 0;
      if (!mayChoose || !isPortTaken(error) || attempt === ATTEMPTS) throw error;
      await forgetStackState(options.dir);
    }
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && /EADDRINUSE|already in use/i.test(error.message);
}

async function startOn(state: StackState, options: StackOptions): Promise<Stack> {
  await using starting = new AsyncDisposableStack();
  starting.use(lockDir(options.dir));
  const services = await startServices(options, state, starting);
  const env = masterEnv(state, services);
  const credentials = state.masterKeys;
  const at = ({ endpoint }: { endpoint: string }) => ({ region: REGION, endpoint, credentials });
  const { dynamodb, s3, sqs, scheduler } = services;
  await createResources(
    { ...NAMES, storedDelaySeconds: options.storedDelaySeconds },
    {
      dynamodb: at(dynamodb),
      s3: at(s3),
      sqs: at(sqs),
      scheduler: at(scheduler),
    },
  );
  const dashboard = await openPages(options, state);
  const host = starting.use(
    await startApiHost({
      port: state.ports.api,
      env: { ...env, ...options.env },
      roles: {
        place: { region: REGION, account: ACCOUNT },
        arns: ARNS,
        ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
      },
      ...(options.deps === undefined ? {} : { deps: options.deps }),
      ...(options.onError === undefined ? {} : { onError: options.onError }),
      ...(dashboard === undefined ? {} : { pages: dashboard.serve }),
    }),
  );
  const poll = (functionName: string, queueName: string): AsyncDisposable =>
    pollQueue({
      client: at(sqs),
      queueUrl: `${sqs.endpoint}/${ACCOUNT}/${queueName}`,
      invoke: async (event) => (await host.invoke(functionName, event)) as SQSBatchResponse,
      onError: options.onError ?? (() => undefined),
    });
  starting.use(poll("deadLetter", NAMES.deadLetterQueueName));
  starting.use(poll("stored", NAMES.storedQueueName));
  starting.use(await runRules({ invoke: host.invoke, onError: options.onError ?? (() => undefined) }));
  const running = starting.move();
  const close = (): Promise<void> => running.disposeAsync();
  return {
    apiUrl: host.url,
    adminToken: state.adminToken,
    bucket: NAMES.bucketName,
    region: REGION,
    ports: state.ports,
    masterKeys: state.masterKeys,
    s3,
    sqs,
    scheduler,
    dashboard,
    env,
    invoke: host.invoke,
    throwIfCrashed: () => services.throwIfCrashed(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function openPages(
  { dashboardDir, env }: StackOptions,
  { ports, adminToken }: StackState,
): Promise<Dashboard | undefined> {
  if (dashboardDir === undefined) return undefined;
  const apiUrl = `http://127.0.0.1:${ports.api}`;
  const issuer = env?.["OIDC_ISSUER"];
  return openDashboard(dashboardDir, { apiUrl, adminToken, now: () => new Date(), issuer });
}

/** Two stacks on one directory would end each other's servers and mix up their data. */
function lockDir(dir: string): Disposable {
  const lock = tryLock(join(dir, "lock"));
  if (lock === undefined) {
    throw new Error(`Another stack runs in ${dir}: stop that one first, or use another directory (--dir).`);
  }
  return lock;
}

interface Services {
  readonly dynamodb: { readonly endpoint: string };
  readonly s3: S3Server;
  readonly sqs: RunningSqs;
  readonly scheduler: RunningScheduler;
  readonly sts: { readonly endpoint: string };
  readonly ssm: { readonly endpoint: string };
  throwIfCrashed(): void;
}

async function startServices(
  { dir, s3Faults, sessionSeconds, schedulerTime }: StackOptions,
  { ports, masterKeys }: StackState,
  starting: AsyncDisposableStack,
): Promise<Services> {
  const now = (): Date => new Date();
  const dataDir = (name: string): string => join(dir, name);
  let crash: string | undefined;
  const own = staticCredentials({
    [masterKeys.accessKeyId]: { secretAccessKey: masterKeys.secretAccessKey },
  });
  const dynamodb = starting.use(
    await startDynamodb({
      dataDir: dataDir("dynamodb"),
      port: ports.dynamodb,
      onCrash: (reason) => {
        crash = `DynamoDB has ended: ${reason}`;
      },
    }),
  );
  const sts = starting.use(
    await startSts({ dataDir: dataDir("sts"), port: ports.sts, credentials: own, now, sessionSeconds }),
  );
  const sqs = starting.use(await startSqs({ dataDir: dataDir("sqs"), port: ports.sqs, region: REGION }));
  const onCreated = await openObjectRules((queue, body) => sqs.send(QUEUE_ARNS[queue] ?? queue, body));
  const targets = keptParameter(join(dir, "alert-targets.json"), ALERT_TARGETS);
  const parameters = { [STORAGE_IDENTITY]: await ensureStorageIdentity(dir), ...(await targets.read()) };
  const ssm = starting.use(
    await startSsm({
      parameters,
      credentials: own,
      now,
      onPut: (name, value) => targets.onPut(name, value),
    }),
  );
  const s3 = starting.use(
    await startS3({
      dataDir: dataDir("s3"),
      port: ports.s3,
      credentials: sts.credentials,
      now,
      onCreated,
      ...(s3Faults === undefined ? {} : { faults: s3Faults }),
    }),
  );
  const scheduler = starting.use(
    await startScheduler({
      dataDir: dataDir("scheduler"),
      port: ports.scheduler,
      region: REGION,
      deliver: async (queueArn, body) => sqs.send(queueArn, body),
      ...schedulerTime,
    }),
  );
  const throwIfCrashed = (): void => {
    if (crash !== undefined) throw new Error(crash);
  };
  return { dynamodb, s3, sqs, scheduler, sts, ssm, throwIfCrashed };
}

/** What serverless.yml gives the functions on AWS, and where the services are. */
function masterEnv(state: StackState, services: Services): Record<string, string> {
  const { ports, adminToken, masterKeys } = state;
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: masterKeys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: masterKeys.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: services.dynamodb.endpoint,
    AWS_ENDPOINT_URL_S3: services.s3.endpoint,
    AWS_ENDPOINT_URL_SQS: services.sqs.endpoint,
    AWS_ENDPOINT_URL_SCHEDULER: services.scheduler.endpoint,
    AWS_ENDPOINT_URL_STS: services.sts.endpoint,
    AWS_ENDPOINT_URL_SSM: services.ssm.endpoint,
    STAGE: "local",
    LOG_LEVEL: "SILENT",
    METRICS: "off",
    TABLE_NAME: NAMES.tableName,
    BUCKET_NAME: NAMES.bucketName,
    DEAD_LETTER_QUEUE_ARN: ARNS.dead_letter_queue,
    SCHEDULE_GROUP: NAMES.scheduleGroup,
    SCHEDULER_ROLE_ARN: ARNS.scheduler_role,
    NODE_ROLE_ARN: ARNS.node_role,
    STORAGE_IDENTITY_PARAMETER: STORAGE_IDENTITY,
    ALERT_TARGETS_PARAMETER: ALERT_TARGETS,
    // MinIO on this machine is as good as any.
    PRIVATE_STORAGE_ENDPOINTS: "allowed",
    AUDIENCE: "backupd-master-local",
    PUBLIC_URL: `http://127.0.0.1:${ports.api}`,
    SIGN_IN_LINK: "true",
    BOOTSTRAP_TOKEN_SHA256: createHash("sha256").update(adminToken).digest("hex"),
    // Often enough to watch a backup of seconds.
    PROGRESS_SECONDS: "0.2",
    HEARTBEAT_SECONDS: "15",
  };
}
