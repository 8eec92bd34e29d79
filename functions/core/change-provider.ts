// How a storage provider's record changes: only what its kind has, and what a test has found holds no longer once its
// address or its keys are others.
import type { PatchProvider } from "#shared/contracts/storage.ts";
import type { ProviderRecord } from "./records.ts";
import { invalid } from "./report-job.ts";

const OF_KIND = {
  aws: ["name", "region", "role_arn"],
  s3: ["name", "region", "endpoint", "force_path_style", "access_key_id", "secret_access_key"],
} as const satisfies Record<ProviderRecord["kind"], readonly (keyof PatchProvider)[]>;

/** `sealedSecret`: of the secret in the patch. @throws BackupError `invalid_request`. */
export function changeProvider(
  before: ProviderRecord,
  patch: PatchProvider,
  sealedSecret: string | undefined,
): ProviderRecord {
  checkPatch(before, patch);
  const { secret_access_key: _secret, ...rest } = patch;
  const change = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const { features, tested_at: testedAt, ...base } = before;
  const isOnlyName = Object.keys(patch).every((field) => field === "name");
  return {
    ...base,
    ...(isOnlyName && features !== undefined ? { features } : {}),
    ...(isOnlyName && testedAt !== undefined ? { tested_at: testedAt } : {}),
    ...change,
    ...(sealedSecret === undefined ? {} : { sealed_secret: sealedSecret }),
  };
}

function checkPatch({ kind }: ProviderRecord, patch: PatchProvider): void {
  const known: readonly string[] = OF_KIND[kind];
  const odd = Object.keys(patch).find((field) => !known.includes(field));
  if (odd !== undefined) throw invalid(odd, `is nothing that a provider of the kind ${kind} has`);
  if (patch.access_key_id !== undefined && patch.secret_access_key === undefined) {
    throw invalid("secret_access_key", "is needed with another access key id");
  }
}
