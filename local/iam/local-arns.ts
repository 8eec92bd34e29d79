// The ARNs of the local stack's things, named as the template names them for the stage `local`.
import type { Resource } from "#functions/core/grants.ts";
import type { Place } from "./call-permissions.ts";

export interface LocalNames {
  readonly tableName: string;
  readonly bucketName: string;
  readonly deadLetterQueueName: string;
  readonly storedQueueName: string;
  readonly scheduleGroup: string;
}

export function localArns(names: LocalNames, { region, account }: Place): Readonly<Record<Resource, string>> {
  const arn = (service: string, rest: string): string => `arn:aws:${service}:${region}:${account}:${rest}`;
  const table = arn("dynamodb", `table/${names.tableName}`);
  const role = (name: string): string => `arn:aws:iam::${account}:role/${name}`;
  return {
    table,
    gsi1: `${table}/index/gsi1`,
    gsi2: `${table}/index/gsi2`,
    gsi3: `${table}/index/gsi3`,
    gsi4: `${table}/index/gsi4`,
    archives: `arn:aws:s3:::${names.bucketName}/*`,
    probes: `arn:aws:s3:::${names.bucketName}/_backupd/probe/*`,
    bucket: `arn:aws:s3:::${names.bucketName}`,
    manifests: `arn:aws:s3:::${names.bucketName}/_backupd/manifests/*`,
    node_queues: arn("sqs", "backupd-local-node-*"),
    dead_letter_queue: arn("sqs", names.deadLetterQueueName),
    stored_queue: arn("sqs", names.storedQueueName),
    schedules: arn("scheduler", `schedule/${names.scheduleGroup}/*`),
    scheduler_role: role(`backupd-local-scheduler-${region}`),
    alarm_topic: arn("sns", "backupd-local-alarms"),
    alarm_topic_key: arn("kms", "key/AlarmTopicKey"),
    alert_targets: arn("ssm", "parameter/backupd/local/alert-targets"),
    email_identities: arn("ses", "identity/*"),
    everything: "*",
    node_role: role(`backupd-local-node-${region}`),
    storage_roles: role("backupd-storage-*"),
    storage_identity: arn("ssm", "parameter/backupd/local/storage-identity"),
  };
}
