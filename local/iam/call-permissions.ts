// Which IAM permissions a call of an SDK needs, from the Service Authorization Reference, for every call that the
// Master makes. A call that is not listed is an error, so that a new one cannot go unchecked.
import type { AwsCall } from "#functions/stores/aws-client.ts";

export interface Permission {
  readonly action: string;
  readonly resource: string;
}

export interface Place {
  readonly region: string;
  readonly account: string;
}

type Input = AwsCall["input"];
type Rule = (input: Input, place: Place) => Permission[];

const text = (value: unknown): string => String(value);
const on = (resource: string, ...actions: string[]): Permission[] =>
  actions.map((action) => ({ action, resource }));

const tableArn = (input: Input, { region, account }: Place): string => {
  const index = input["IndexName"] === undefined ? "" : `/index/${text(input["IndexName"])}`;
  return `arn:aws:dynamodb:${region}:${account}:table/${text(input["TableName"])}${index}`;
};
const queueArn = (name: string, { region, account }: Place): string =>
  `arn:aws:sqs:${region}:${account}:${name}`;
const queueOf = (input: Input, place: Place): string =>
  queueArn(text(input["QueueUrl"]).split("/").at(-1) ?? "", place);
const scheduleArn = (input: Input, { region, account }: Place): string =>
  `arn:aws:scheduler:${region}:${account}:schedule/${text(input["GroupName"])}/${text(input["Name"])}`;
const objectArn = (input: Input): string => `arn:aws:s3:::${text(input["Bucket"])}/${text(input["Key"])}`;

const table =
  (action: string): Rule =>
  (input, place) =>
    on(tableArn(input, place), `dynamodb:${action}`);
const object =
  (action: string): Rule =>
  (input) =>
    on(objectArn(input), `s3:${action}`);
const queue =
  (action: string): Rule =>
  (input, place) =>
    on(queueOf(input, place), `sqs:${action}`);
const schedule =
  (action: string): Rule =>
  (input, place) => {
    const target = input["Target"] as { RoleArn?: string } | undefined;
    const pass = target?.RoleArn === undefined ? [] : on(target.RoleArn, "iam:PassRole");
    return [...on(scheduleArn(input, place), `scheduler:${action}`), ...pass];
  };

/** Without the version that a name may end with: a policy cannot tell versions apart. */
const parameter =
  (action: string): Rule =>
  (input, { region, account }) =>
    on(
      `arn:aws:ssm:${region}:${account}:parameter${text(input["Name"]).replace(/:\d+$/, "")}`,
      `ssm:${action}`,
    );

/** A transaction needs what its single writes would need. */
const transaction: Rule = (input, place) =>
  (input["TransactItems"] as Record<string, Input>[]).flatMap((item) =>
    Object.entries(item).flatMap(([kind, write]) =>
      on(
        tableArn(write, place),
        kind === "ConditionCheck" ? "dynamodb:ConditionCheckItem" : `dynamodb:${kind}Item`,
      ),
    ),
  );

const RULES: Readonly<Record<string, Rule>> = {
  GetItemCommand: table("GetItem"),
  PutItemCommand: table("PutItem"),
  UpdateItemCommand: table("UpdateItem"),
  DeleteItemCommand: table("DeleteItem"),
  QueryCommand: table("Query"),
  TransactWriteItemsCommand: transaction,
  HeadObjectCommand: object("GetObject"),
  GetObjectCommand: object("GetObject"),
  PutObjectCommand: object("PutObject"),
  DeleteObjectCommand: object("DeleteObject"),
  ListObjectsV2Command: (input) => on(`arn:aws:s3:::${text(input["Bucket"])}`, "s3:ListBucket"),
  CreateMultipartUploadCommand: object("PutObject"),
  UploadPartCommand: object("PutObject"),
  UploadPartCopyCommand: (input) => [
    ...on(objectArn(input), "s3:PutObject"),
    ...on(`arn:aws:s3:::${text(input["CopySource"])}`, "s3:GetObject"),
  ],
  CompleteMultipartUploadCommand: object("PutObject"),
  AbortMultipartUploadCommand: object("AbortMultipartUpload"),
  CreateQueueCommand: (input, place) =>
    on(
      queueArn(text(input["QueueName"]), place),
      "sqs:CreateQueue",
      ...(input["tags"] === undefined ? [] : ["sqs:TagQueue"]),
    ),
  DeleteQueueCommand: queue("DeleteQueue"),
  SendMessageCommand: queue("SendMessage"),
  GetQueueAttributesCommand: queue("GetQueueAttributes"),
  SetQueueAttributesCommand: queue("SetQueueAttributes"),
  ListQueuesCommand: () => on("*", "sqs:ListQueues"),
  CreateScheduleCommand: schedule("CreateSchedule"),
  UpdateScheduleCommand: schedule("UpdateSchedule"),
  DeleteScheduleCommand: schedule("DeleteSchedule"),
  GetScheduleCommand: schedule("GetSchedule"),
  ListSchedulesCommand: () => on("*", "scheduler:ListSchedules"),
  PublishCommand: (input) => on(text(input["TopicArn"]), "sns:Publish"),
  GetParameterCommand: parameter("GetParameter"),
  PutParameterCommand: parameter("PutParameter"),
  SendEmailCommand: (input, { region, account }) =>
    on(`arn:aws:ses:${region}:${account}:identity/${text(input["FromEmailAddress"])}`, "ses:SendEmail"),
  AssumeRoleCommand: (input) => on(text(input["RoleArn"]), "sts:AssumeRole"),
};

export function permissionsOf(call: AwsCall, place: Place): Permission[] {
  const rule = RULES[call.command];
  if (rule === undefined) throw new Error(`local/iam does not know which permission ${call.command} needs.`);
  return rule(call.input, place);
}
