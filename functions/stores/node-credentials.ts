// Short-lived credentials for one node: a session of the node role, cut down to the node's own queue and prefix; and the
// keys of the other storages that its sites use.
import type { StorageKeys } from "#shared/contracts/nodes.ts";
import { type QueueSettings, queueArn } from "../core/queue-names.ts";
import type { ProviderRecord } from "../core/records.ts";
import { sessionPolicy } from "../core/session-policy.ts";
import { openAssumeRole } from "./assume-role.ts";
import { openProviderAccess, type ProviderKeys } from "./provider-access.ts";
import type { SecretsSettings } from "./provider-secrets.ts";

const SESSION_SECONDS = 3_600;

export interface NodeCredentialsIssuer {
  issue(nodeId: string): Promise<StorageKeys>;
  issueFor(nodeId: string, provider: ProviderRecord): Promise<StorageKeys>;
}

export interface IssuerSettings extends QueueSettings, SecretsSettings {
  readonly nodeRoleArn: string;
  readonly bucketName: string;
  readonly archivesKeyArn?: string | undefined;
}

export function openNodeCredentials(settings: IssuerSettings): NodeCredentialsIssuer {
  const { nodeRoleArn: roleArn, bucketName: bucket, archivesKeyArn } = settings;
  const assumeRole = openAssumeRole();
  const access = openProviderAccess(settings);
  return {
    async issue(nodeId) {
      const scope = { nodeId, roleArn, bucket, queueArn: queueArn(settings, nodeId), archivesKeyArn };
      const session = { roleArn, sessionName: `node-${nodeId}`, seconds: SESSION_SECONDS };
      return told(await assumeRole({ ...session, policy: sessionPolicy(scope) }));
    },
    async issueFor(nodeId, provider) {
      return told(await access.nodeKeys(provider, nodeId));
    },
  };
}

function told({ accessKeyId, secretAccessKey, sessionToken, expiration }: ProviderKeys): StorageKeys {
  return {
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
    ...(sessionToken === undefined ? {} : { session_token: sessionToken }),
    ...(expiration === undefined ? {} : { expires_at: expiration.toISOString() }),
  };
}
