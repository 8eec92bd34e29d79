// Tests storages for operators: the stack's own bucket with the function's role, saved providers with their keys, and such
// as are only typed in yet.
import { S3Client } from "@aws-sdk/client-s3";
import type { CreateProvider } from "#shared/contracts/storage.ts";
import type { ProbeResults } from "../core/provider-features.ts";
import type { ProviderRecord } from "../core/records.ts";
import { awsClient } from "./aws-client.ts";
import { assertEndpoint } from "./guarded-agent.ts";
import { type ProbeDeps, probeStorage } from "./probe-storage.ts";
import { openProviderAccess } from "./provider-access.ts";
import { providerClient } from "./provider-client.ts";
import type { StoragesSettings } from "./storages.ts";

export interface ProviderProbe {
  /** @throws BackupError `invalid_request` for an address that the Master does not call. */
  checkEndpoint(endpoint: string): Promise<void>;
  ownBucket(deps: ProbeDeps): Promise<ProbeResults>;
  provider(provider: ProviderRecord, deps: ProbeDeps): Promise<ProbeResults>;
  unsaved(provider: CreateProvider, deps: ProbeDeps): Promise<ProbeResults>;
}

export function openProviderProbe(settings: Omit<StoragesSettings, "tableName">): ProviderProbe {
  const { bucketName, isPrivateStorageAllowed: isPrivateAllowed } = settings;
  const access = openProviderAccess(settings);
  const probe = async (client: S3Client, bucket: string, deps: ProbeDeps): Promise<ProbeResults> => {
    try {
      return await probeStorage(client, bucket, deps);
    } finally {
      client.destroy();
    }
  };
  const saved = (provider: ProviderRecord, deps: ProbeDeps): Promise<ProbeResults> => {
    const keys = () => access.keys(provider);
    return probe(providerClient(provider, keys, isPrivateAllowed), provider.bucket, deps);
  };
  return {
    checkEndpoint: (endpoint) => assertEndpoint(endpoint, isPrivateAllowed),
    ownBucket: (deps) => probe(awsClient(new S3Client({})), bucketName, deps),
    provider: saved,
    unsaved(body, deps) {
      if (body.kind === "aws") return saved({ ...body, id: "", version: 0, created_at: "" }, deps);
      const keys = async () => ({
        accessKeyId: body.access_key_id,
        secretAccessKey: body.secret_access_key,
      });
      return probe(providerClient(body, keys, isPrivateAllowed), body.bucket, deps);
    },
  };
}
