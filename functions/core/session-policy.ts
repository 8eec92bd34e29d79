// What a node may do with its short-lived credentials: work off its own queue, and read and write below its own
// prefix. No delete and no list: a hacked server cannot destroy or survey its backups.

export interface SessionScope {
  readonly nodeId: string;
  readonly bucketArn: string;
  /** Of the bucket, if it has a key of its own. */
  readonly archivesKeyArn?: string | undefined;
  readonly queueArn: string;
}

/** The IAM session policy as JSON; the session has the intersection of this and the node role. */
export function sessionPolicy({ nodeId, bucketArn, queueArn, archivesKeyArn }: SessionScope): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: [
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:ChangeMessageVisibility",
          "sqs:GetQueueAttributes",
        ],
        Resource: queueArn,
      },
      {
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        Resource: `${bucketArn}/${nodeId}/*`,
      },
      // S3 asks KMS in the caller's name; the node role lets it do so through S3 only.
      ...(archivesKeyArn === undefined
        ? []
        : [{ Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: archivesKeyArn }]),
    ],
  });
}
