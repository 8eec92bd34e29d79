// Storage providers as the API shows them: their secrets are not among the fields.
import { DEFAULT_PROVIDER, type StorageProvider } from "#shared/contracts/storage.ts";
import type { ProviderRecord } from "./records.ts";

export function viewProvider(provider: ProviderRecord): StorageProvider {
  const { id, kind, name, bucket, region } = provider;
  return {
    ...{ id, kind, name, bucket, region, is_default: false },
    endpoint: provider.endpoint ?? null,
    force_path_style: provider.force_path_style ?? false,
    role_arn: provider.role_arn ?? null,
    access_key_id: provider.access_key_id ?? null,
    created_at: provider.created_at,
    tested_at: provider.tested_at ?? null,
    features: provider.features ?? null,
  };
}

export interface OwnBucket {
  readonly bucketName: string;
  readonly region: string;
  /** Where that is not AWS. */
  readonly s3Endpoint: string | undefined;
}

export function viewDefaultProvider({ bucketName, region, s3Endpoint }: OwnBucket): StorageProvider {
  return {
    ...{ id: DEFAULT_PROVIDER, kind: "aws", name: "The stack's own bucket", is_default: true },
    ...{ bucket: bucketName, region, endpoint: s3Endpoint ?? null, force_path_style: false },
    ...{ role_arn: null, access_key_id: null, created_at: null, tested_at: null, features: null },
  };
}
