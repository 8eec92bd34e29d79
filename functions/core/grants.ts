// What each function may do on AWS, and nothing else. The package step makes one IAM role per row; the local stack
// refuses what the row does not have; a test holds every row against the calls that are really made.

/** What a grant can be about; each is an ARN in serverless.yml (custom.arns). */
export const RESOURCES = [
  "table",
  "gsi1",
  "gsi2",
  "gsi3",
  "gsi4",
  "archives",
  "probes",
  "bucket",
  "manifests",
  "node_queues",
  "dead_letter_queue",
  "stored_queue",
  "schedules",
  "scheduler_role",
  "node_role",
  "storage_roles",
  "storage_identity",
  "alarm_topic",
  "alarm_topic_key",
  "alert_targets",
  "email_identities",
  "everything",
] as const;
export type Resource = (typeof RESOURCES)[number];

export interface Grant {
  readonly on: Resource;
  readonly may: readonly string[];
  /** For what no call of our own code shows: it is needed although the function never asks for it by itself. */
  readonly because?: string;
}

const READ: Grant = { on: "table", may: ["dynamodb:GetItem"] };
const WRITE: Grant = { on: "table", may: ["dynamodb:GetItem", "dynamodb:PutItem"] };
const CHANGE: Grant = { on: "table", may: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"] };
const query = (on: Resource): Grant => ({ on, may: ["dynamodb:Query"] });
/** Alerts to all targets. */
const TELL: readonly Grant[] = [
  { on: "alarm_topic", may: ["sns:Publish"] },
  {
    on: "alarm_topic_key",
    may: ["kms:GenerateDataKey", "kms:Decrypt"],
    because: "the topic is encrypted: SNS asks KMS in the publisher's name",
  },
  { on: "alert_targets", may: ["ssm:GetParameter"] },
  // Which one is in the parameter.
  { on: "email_identities", may: ["ses:SendEmail"] },
];

/** Lambda polls a function's queue with the function's role. */
const polls = (on: Resource): Grant => ({
  on,
  may: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
  because: "Lambda polls the queue with the function's role",
});
/** So that a missing object is 404. */
const TELLS_MISSING: Grant = {
  on: "bucket",
  may: ["s3:ListBucket"],
  because: "without it S3 answers 403 instead of 404 for an object that is not there",
};
/** What gives access to storages beside the stack's own bucket: their secrets' key, or their roles. */
const STORAGES: readonly Grant[] = [
  { on: "storage_identity", may: ["ssm:GetParameter"] },
  { on: "storage_roles", may: ["sts:AssumeRole"] },
];

/** To compare records with objects, and to record what has no record. */
const COMPARE_STORAGE: readonly Grant[] = [
  CHANGE,
  query("table"),
  query("gsi1"),
  query("gsi2"),
  { on: "archives", may: ["s3:GetObject"] },
  { on: "bucket", may: ["s3:ListBucket"] },
  ...STORAGES,
];
const PUT_SCHEDULES: readonly Grant[] = [
  {
    on: "schedules",
    may: ["scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"],
  },
  { on: "scheduler_role", may: ["iam:PassRole"] },
];
/** To put schedules and queues back to what the records say. */
const REPAIR_DRIFT: readonly Grant[] = [
  WRITE,
  query("gsi1"),
  ...PUT_SCHEDULES,
  { on: "schedules", may: ["scheduler:GetSchedule"] },
  {
    on: "node_queues",
    may: [
      ...["sqs:CreateQueue", "sqs:TagQueue", "sqs:DeleteQueue"],
      ...["sqs:GetQueueAttributes", "sqs:SetQueueAttributes"],
    ],
  },
  // IAM knows no resource for these two: who may list may list all.
  { on: "everything", may: ["scheduler:ListSchedules", "sqs:ListQueues"] },
];

/** By the function's name in serverless.yml. */
export const GRANTS: Readonly<Record<string, readonly Grant[]>> = {
  authorizer: [READ],
  health: [],
  openapi: [],
  signIn: [],
  fallback: [],
  fleet: [query("gsi1"), query("gsi4")],
  enrollmentTokens: [CHANGE, query("gsi1"), query("gsi4")],
  apiTokens: [CHANGE, query("gsi1"), query("gsi4")],
  nodeAgent: [
    CHANGE,
    query("gsi2"),
    { on: "node_queues", may: ["sqs:CreateQueue", "sqs:TagQueue", "sqs:DeleteQueue"] },
    { on: "node_role", may: ["sts:AssumeRole"] },
    ...STORAGES,
  ],
  nodeBackups: [
    READ,
    query("table"),
    query("gsi2"),
    query("gsi3"),
    { on: "archives", may: ["s3:GetObject"] },
    ...STORAGES,
  ],
  nodes: [
    CHANGE,
    query("gsi1"),
    query("gsi2"),
    query("gsi4"),
    { on: "node_queues", may: ["sqs:DeleteQueue"] },
  ],
  sites: [
    CHANGE,
    { on: "table", may: ["dynamodb:DeleteItem"] },
    query("table"),
    query("gsi1"),
    query("gsi2"),
    query("gsi4"),
    ...PUT_SCHEDULES,
  ],
  quotas: [CHANGE, query("table")],
  siteBackup: [WRITE, { on: "node_queues", may: ["sqs:SendMessage"] }],
  jobs: [
    CHANGE,
    query("table"),
    query("gsi1"),
    query("gsi2"),
    query("gsi4"),
    // For the URL of the archive that a job reads.
    { on: "archives", may: ["s3:GetObject"] },
    ...STORAGES,
  ],
  jobReports: [CHANGE, query("gsi2")],
  restores: [WRITE, query("gsi2"), { on: "node_queues", may: ["sqs:SendMessage"] }],
  backups: [
    CHANGE,
    query("table"),
    query("gsi1"),
    query("gsi2"),
    query("gsi4"),
    { on: "archives", may: ["s3:GetObject", "s3:DeleteObject"] },
    TELLS_MISSING,
    ...STORAGES,
  ],
  backupFiles: [WRITE, query("gsi2"), { on: "archives", may: ["s3:GetObject"] }, ...STORAGES],
  backupKeeping: [
    CHANGE,
    { on: "table", may: ["dynamodb:DeleteItem"] },
    query("table"),
    query("gsi2"),
    { on: "archives", may: ["s3:DeleteObject"] },
    ...STORAGES,
  ],
  storageProviders: [
    WRITE,
    { on: "table", may: ["dynamodb:DeleteItem"] },
    query("table"),
    query("gsi1"),
    {
      on: "probes",
      may: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
    },
    { on: "bucket", may: ["s3:ListBucket"] },
    ...STORAGES,
  ],
  retention: [WRITE, query("table")],
  alerts: [WRITE, query("table"), query("gsi4"), ...TELL],
  alertTargets: [WRITE, ...TELL, { on: "alert_targets", may: ["ssm:PutParameter"] }],
  watchChore: [
    WRITE,
    {
      on: "table",
      may: ["dynamodb:UpdateItem"],
      because: "a backup that a list lacked while its site went to another tenant follows here",
    },
    { on: "table", may: ["dynamodb:DeleteItem"] },
    query("table"),
    query("gsi1"),
    query("gsi2"),
    ...TELL,
  ],
  retentionChore: [
    WRITE,
    { on: "table", may: ["dynamodb:DeleteItem"] },
    query("table"),
    query("gsi1"),
    query("gsi2"),
    { on: "archives", may: ["s3:DeleteObject"] },
    ...STORAGES,
  ],
  storage: COMPARE_STORAGE,
  reconcileChore: COMPARE_STORAGE,
  inventoryChore: [
    { on: "table", may: ["dynamodb:PutItem"] },
    query("table"),
    query("gsi1"),
    { on: "bucket", may: ["s3:ListBucket"] },
    { on: "manifests", may: ["s3:PutObject", "s3:DeleteObject"] },
  ],
  upkeep: REPAIR_DRIFT,
  driftChore: REPAIR_DRIFT,
  activity: [query("table"), query("gsi4")],
  deadLetter: [WRITE, polls("dead_letter_queue")],
  stored: [
    WRITE,
    query("table"),
    query("gsi2"),
    { on: "archives", may: ["s3:GetObject"] },
    TELLS_MISSING,
    polls("stored_queue"),
  ],
};
