// The S3 client of a storage provider. It has the provider's own rights and none of the function's, so it is not held to
// the function's role (stores/aws-client.ts), and it connects only to where admins may send the Master.
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { ProviderRecord } from "../core/records.ts";
import { withOwnRights } from "./aws-client.ts";
import { guardedAgents } from "./guarded-agent.ts";
import type { ProviderKeys } from "./provider-access.ts";

const CONNECT_MS = 5_000;
const SILENCE_MS = 10_000;

export function providerClient(
  provider: Pick<ProviderRecord, "region" | "endpoint" | "force_path_style">,
  keys: () => Promise<ProviderKeys>,
  isPrivateAllowed: boolean,
): S3Client {
  const { region, endpoint, force_path_style: forcePathStyle = false } = provider;
  const settings: S3ClientConfig = {
    region,
    credentials: keys,
    maxAttempts: 2,
    ...(endpoint === undefined
      ? {}
      : {
          endpoint,
          forcePathStyle,
          requestHandler: {
            connectionTimeout: CONNECT_MS,
            socketTimeout: SILENCE_MS,
            ...guardedAgents(isPrivateAllowed),
          },
        }),
  };
  return withOwnRights(new S3Client(settings));
}
