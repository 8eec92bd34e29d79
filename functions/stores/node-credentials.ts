// Short-lived credentials for one node: a session of the node role, cut down to the node's own queue and prefix.
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { NodeCredentials } from "#shared/contracts/nodes.ts";
import { type QueueSettings, queueArn } from "../core/queue-names.ts";
import { sessionPolicy } from "../core/session-policy.ts";
import { awsClient } from "./aws-client.ts";

const SESSION_SECONDS = 3_600;

export interface NodeCredentialsIssuer {
  issue(nodeId: string): Promise<NodeCredentials>;
}

export interface IssuerSettings extends QueueSettings {
  readonly nodeRoleArn: string;
  readonly bucketName: string;
  readonly archivesKeyArn?: string | undefined;
}

export function openNodeCredentials(settings: IssuerSettings): NodeCredentialsIssuer {
  const client = awsClient(new STSClient({}));
  return {
    async issue(nodeId) {
      const answer = await client.send(
        new AssumeRoleCommand({
          RoleArn: settings.nodeRoleArn,
          RoleSessionName: `node-${nodeId}`,
          DurationSeconds: SESSION_SECONDS,
          Policy: sessionPolicy({
            nodeId,
            bucketArn: `arn:aws:s3:::${settings.bucketName}`,
            queueArn: queueArn(settings, nodeId),
            archivesKeyArn: settings.archivesKeyArn,
          }),
        }),
      );
      const {
        AccessKeyId: id,
        SecretAccessKey: secret,
        SessionToken: token,
        Expiration: end,
      } = answer.Credentials ?? {};
      if (id === undefined || secret === undefined || token === undefined || end === undefined) {
        throw new Error("AssumeRole gave incomplete credentials");
      }
      return {
        access_key_id: id,
        secret_access_key: secret,
        session_token: token,
        expires_at: end.toISOString(),
      };
    },
  };
}
