// What a session of a role may do. A node: work off its own queue, and read and write below its own prefix; no delete and
// no list: a hacked server cannot destroy or survey its backups. The Master: what it does with archives, in one bucket.

export interface BucketScope {
  /** Of the session's role: its ARNs are of the same partition (aws, aws-us-gov, aws-cn). */
  readonly roleArn: string;
  readonly bucket: string;
}

export interface NodeScope extends BucketScope {
  readonly nodeId: string;
  /** Of the bucket, if it has a key of its own. */
  readonly archivesKeyArn?: string | undefined;
  /** Absent for storages other than the default one, which come without a queue. */
  readonly queueArn?: string | undefined;
}

interface Statement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}

/** The IAM session policy as JSON; the session has the intersection of this and the role. */
export function sessionPolicy(scope: NodeScope): string {
  const { nodeId, queueArn, archivesKeyArn } = scope;
  const queue = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"];
  const objects = ["GetObject", "PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"];
  return policy([
    ...(queueArn === undefined
      ? []
      : [
          allow(
            queue.map((action) => `sqs:${action}`),
            queueArn,
          ),
        ]),
    allow(
      objects.map((action) => `s3:${action}`),
      `${bucketArn(scope)}/${nodeId}/*`,
    ),
    // S3 asks KMS in the caller's name; the node role lets it do so through S3 only.
    ...(archivesKeyArn === undefined ? [] : [allow(["kms:Decrypt", "kms:GenerateDataKey"], archivesKeyArn)]),
  ]);
}

/** Of the Master's own sessions of a provider's role. */
export function masterPolicy(scope: BucketScope): string {
  const objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"];
  return policy([
    allow(objects, `${bucketArn(scope)}/*`),
    // Without it S3 answers 403 instead of 404 for an object that is not there.
    allow(["s3:ListBucket"], bucketArn(scope)),
    allow(["kms:Decrypt", "kms:GenerateDataKey"], "*"),
  ]);
}

function bucketArn({ roleArn, bucket }: BucketScope): string {
  return `arn:${roleArn.split(":")[1] ?? "aws"}:s3:::${bucket}`;
}

const allow = (Action: readonly string[], Resource: string): Statement => ({
  Effect: "Allow",
  Action,
  Resource,
});

function policy(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}
