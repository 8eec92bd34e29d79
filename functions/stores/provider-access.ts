// From a provider's record to what gives access to it: the opened secret, or a session of its role.
import type { ProviderRecord } from "../core/records.ts";
import { masterPolicy, type NodeScope, sessionPolicy } from "../core/session-policy.ts";
import type { AssumeRole } from "./assume-role.ts";
import { openProviderSecrets, type SecretsSettings } from "./provider-secrets.ts";

/** `expiration` is absent for static keys, and so is the token. */
export interface ProviderKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export interface ProviderAccess {
  /** The Master's own. What is opened is kept for as long as the record is the same: SSM takes few calls at once. */
  keys(provider: ProviderRecord): Promise<ProviderKeys>;
  /** A node's: of a role, cut down to the node's own prefix; static keys cannot be cut down. */
  nodeKeys(provider: ProviderRecord, nodeId: string): Promise<ProviderKeys>;
}

/** The longest that a session may last which was made from another session. */
const SESSION_SECONDS = 3_600;

export function openProviderAccess(settings: SecretsSettings): ProviderAccess {
  const secrets = openProviderSecrets(settings);
  let assumeRole: AssumeRole | undefined;
  const session = async (
    { role_arn: roleArn = "", bucket }: ProviderRecord,
    sessionName: string,
    policyOf: (scope: Pick<NodeScope, "roleArn" | "bucket">) => string,
  ): Promise<ProviderKeys> => {
    assumeRole ??= (await import("./assume-role.ts")).openAssumeRole();
    const policy = policyOf({ roleArn, bucket });
    return assumeRole({ roleArn, sessionName, seconds: SESSION_SECONDS, policy });
  };
  const opened = new Map<string, { readonly version: number; readonly secret: string }>();
  const secretOf = async ({ id, version, sealed_secret: sealed = "" }: ProviderRecord): Promise<string> => {
    const known = opened.get(id);
    if (known?.version === version) return known.secret;
    const secret = await secrets.open(id, sealed);
    opened.set(id, { version, secret });
    return secret;
  };
  const staticKeys = async (provider: ProviderRecord): Promise<ProviderKeys> => ({
    accessKeyId: provider.access_key_id ?? "",
    secretAccessKey: await secretOf(provider),
  });
  return {
    keys: (provider) =>
      provider.kind === "s3" ? staticKeys(provider) : session(provider, "backupd-master", masterPolicy),
    nodeKeys: (provider, nodeId) =>
      provider.kind === "s3"
        ? staticKeys(provider)
        : session(provider, `node-${nodeId}`, (scope) => sessionPolicy({ ...scope, nodeId })),
  };
}
