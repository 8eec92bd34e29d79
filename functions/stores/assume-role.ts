// A session of a role, as short-lived keys.
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { awsClient } from "./aws-client.ts";

export interface SessionOrder {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly seconds: number;
  /** An IAM policy as JSON: the session has the intersection of this and the role. */
  readonly policy: string;
}

/** As SDK clients take them. */
export interface SessionKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

export type AssumeRole = (order: SessionOrder) => Promise<SessionKeys>;

export function openAssumeRole(): AssumeRole {
  const client = awsClient(new STSClient({}));
  return async ({ roleArn, sessionName, seconds, policy }) => {
    const command = { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: seconds };
    const answer = await client.send(new AssumeRoleCommand({ ...command, Policy: policy }));
    const {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: expiration,
    } = answer.Credentials ?? {};
    if (
      accessKeyId === undefined ||
      secretAccessKey === undefined ||
      sessionToken === undefined ||
      expiration === undefined
    ) {
      throw new Error("AssumeRole gave incomplete credentials");
    }
    return { accessKeyId, secretAccessKey, sessionToken, expiration };
  };
}
