// The Master's configuration, read from the environment in one place; all its faults are reported together.
import * as z from "zod";
import type { OidcSettings } from "./core/authenticate-oidc.ts";

const Environment = z.object({
  STAGE: z.string().regex(/^[a-z][a-z0-9]{0,19}$/),
  AWS_REGION: z.string().min(1),
  VERSION: z.string().default("dev"),
  LOG_LEVEL: z.enum(["DEBUG", "INFO", "WARN", "ERROR", "SILENT"]).default("INFO"),
  METRICS: z.enum(["on", "off"]).default("on"),
  TABLE_NAME: z.string().min(3),
  BUCKET_NAME: z.string().min(3),
  DEAD_LETTER_QUEUE_ARN: z.string().startsWith("arn:"),
  SCHEDULE_GROUP: z.string().min(1),
  SCHEDULER_ROLE_ARN: z.string().startsWith("arn:"),
  NODE_ROLE_ARN: z.string().startsWith("arn:"),
  ARCHIVES_KEY_ARN: z.union([z.literal(""), z.string().startsWith("arn:")]).default(""),
  ALERT_TOPIC_ARN: z.union([z.literal(""), z.string().startsWith("arn:")]).default(""),
  ALERT_TARGETS_PARAMETER: z.string().default(""),
  STORAGE_IDENTITY_PARAMETER: z.string().default(""),
  PRIVATE_STORAGE_ENDPOINTS: z.enum(["refused", "allowed"]).default("refused"),
  AUDIENCE: z.string().min(1),
  PUBLIC_URL: z.string().default(""),
  BOOTSTRAP_TOKEN_SHA256: z
    .string()
    .regex(/^([0-9a-f]{64})?$/, "must be 64 hex digits, or empty once it is no longer needed")
    .default(""),
  OIDC_ISSUER: z
    .union([
      z.literal(""),
      z.url({ protocol: /^https$/ }),
      z.url({ protocol: /^http$/, hostname: /^127\.0\.0\.1$/ }),
    ])
    .default(""),
  OIDC_CLIENT_ID: z.string().default(""),
  OIDC_AUDIENCE: z.string().default(""),
  OIDC_SCOPE: z.string().min(1).default("openid email"),
  OIDC_ROLE_CLAIM: z.string().min(1).default("groups"),
  OIDC_TENANT_CLAIM: z.string().default(""),
  OIDC_ADMIN_GROUP: z.string().min(1).default("backupd-admin"),
  OIDC_OPERATOR_GROUP: z.string().min(1).default("backupd-operator"),
  OIDC_VIEWER_GROUP: z.string().min(1).default("backupd-viewer"),
  SIGN_IN_LINK: z.stringbool().default(false),
  LEASE_SECONDS: z.coerce.number().int().min(1).max(3600).default(300),
  HEARTBEAT_SECONDS: z.coerce.number().positive().default(60),
  PROGRESS_SECONDS: z.coerce.number().positive().default(10),
  UPLOAD_BYTES_PER_SECOND: z.coerce.number().int().min(0).default(0),
  AWS_ENDPOINT_URL_S3: z.url().optional(),
  AWS_ENDPOINT_URL_SQS: z.url().optional(),
});
const Checked = Environment.refine((env) => env.OIDC_ISSUER === "" || env.OIDC_CLIENT_ID !== "", {
  path: ["OIDC_CLIENT_ID"],
  message: "must be given with OIDC_ISSUER",
});

/** Whether X-Ray has chosen the call that Lambda is running. */
export function isTraced(environment: Readonly<Record<string, string | undefined>>): boolean {
  return /\bSampled=1\b/.test(environment["_X_AMZN_TRACE_ID"] ?? "");
}

export type Config = ReturnType<typeof parseConfig>;

/** Throws one error that names every wrong variable, never their values. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): {
  readonly stage: string;
  readonly region: string;
  readonly version: string;
  readonly logLevel: "DEBUG" | "INFO" | "WARN" | "ERROR" | "SILENT";
  /** Whether lines of EMF are written, from which CloudWatch makes metrics. */
  readonly publishesMetrics: boolean;
  readonly tableName: string;
  readonly bucketName: string;
  readonly deadLetterQueueArn: string;
  readonly scheduleGroup: string;
  readonly schedulerRoleArn: string;
  readonly nodeRoleArn: string;
  /** Of the KMS key that the archives are encrypted with, if they have one of their own. */
  readonly archivesKeyArn: string | undefined;
  /** Where the watch tells what it found; the parameter names more places. */
  readonly alertTopicArn: string | undefined;
  readonly alertTargetsParameter: string | undefined;
  /** The age identity that opens the secrets of storage providers. */
  readonly storageIdentityParameter: string | undefined;
  /** Only where no network is to be kept from admins: on the local stack. */
  readonly isPrivateStorageAllowed: boolean;
  readonly audience: string;
  readonly publicUrl: string;
  readonly bootstrapTokenSha256: string;
  /** Where people sign in, if not with API tokens. */
  readonly oidc: OidcSettings | undefined;
  /** Whether whoever started this Master gets one-time links into the dashboard. */
  readonly signInLink: boolean;
  readonly leaseSeconds: number;
  readonly heartbeatSeconds: number;
  readonly progressSeconds: number;
  readonly uploadBytesPerSecond: number | undefined;
  readonly s3Endpoint: string | undefined;
  readonly sqsEndpoint: string | undefined;
} {
  const parsed = Checked.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The Master's environment is not valid:\n  ${faults.join("\n  ")}`);
  }
  const env = parsed.data;
  return {
    stage: env.STAGE,
    region: env.AWS_REGION,
    version: env.VERSION,
    logLevel: env.LOG_LEVEL,
    publishesMetrics: env.METRICS === "on",
    tableName: env.TABLE_NAME,
    bucketName: env.BUCKET_NAME,
    deadLetterQueueArn: env.DEAD_LETTER_QUEUE_ARN,
    scheduleGroup: env.SCHEDULE_GROUP,
    schedulerRoleArn: env.SCHEDULER_ROLE_ARN,
    nodeRoleArn: env.NODE_ROLE_ARN,
    archivesKeyArn: env.ARCHIVES_KEY_ARN === "" ? undefined : env.ARCHIVES_KEY_ARN,
    alertTopicArn: env.ALERT_TOPIC_ARN === "" ? undefined : env.ALERT_TOPIC_ARN,
    alertTargetsParameter: env.ALERT_TARGETS_PARAMETER === "" ? undefined : env.ALERT_TARGETS_PARAMETER,
    storageIdentityParameter:
      env.STORAGE_IDENTITY_PARAMETER === "" ? undefined : env.STORAGE_IDENTITY_PARAMETER,
    isPrivateStorageAllowed: env.PRIVATE_STORAGE_ENDPOINTS === "allowed",
    audience: env.AUDIENCE,
    publicUrl: env.PUBLIC_URL,
    bootstrapTokenSha256: env.BOOTSTRAP_TOKEN_SHA256,
    oidc: oidcSettings(env),
    signInLink: env.SIGN_IN_LINK,
    leaseSeconds: env.LEASE_SECONDS,
    heartbeatSeconds: env.HEARTBEAT_SECONDS,
    progressSeconds: env.PROGRESS_SECONDS,
    uploadBytesPerSecond: env.UPLOAD_BYTES_PER_SECOND === 0 ? undefined : env.UPLOAD_BYTES_PER_SECOND,
    s3Endpoint: env.AWS_ENDPOINT_URL_S3,
    sqsEndpoint: env.AWS_ENDPOINT_URL_SQS,
  };
}

function oidcSettings(env: z.infer<typeof Environment>): OidcSettings | undefined {
  if (env.OIDC_ISSUER === "") return undefined;
  return {
    issuer: env.OIDC_ISSUER,
    clientId: env.OIDC_CLIENT_ID,
    audience: env.OIDC_AUDIENCE === "" ? undefined : env.OIDC_AUDIENCE,
    scope: env.OIDC_SCOPE,
    roleClaim: env.OIDC_ROLE_CLAIM,
    tenantClaim: env.OIDC_TENANT_CLAIM === "" ? undefined : env.OIDC_TENANT_CLAIM,
    groups: {
      viewer: env.OIDC_VIEWER_GROUP,
      operator: env.OIDC_OPERATOR_GROUP,
      admin: env.OIDC_ADMIN_GROUP,
    },
  };
}
