// Where archives lie: the stack's own bucket, other buckets on AWS, and any S3-compatible storage. Secrets go in and
// never come out: no answer has a field for one.
import * as z from "zod";
import { Id, Label, Timestamp } from "./common.ts";

/** The stack's own bucket: it always exists, and is used by every site that has chosen nothing else. */
export const DEFAULT_PROVIDER = "default";

export const ProviderId = z.union([z.literal(DEFAULT_PROVIDER), Id]);
export type ProviderId = z.infer<typeof ProviderId>;

export const ProviderKind = z.enum(["aws", "s3"]);
export type ProviderKind = z.infer<typeof ProviderKind>;

const Bucket = z
  .string()
  .min(3)
  .max(63)
  .regex(/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/, "small letters, digits, - and .");
const Region = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[a-z0-9-]+$/, "as the provider names it, for instance eu-central-1, or auto");
/** Only roles of this name: a function of ours can take on no other. */
const RoleArn = z
  .string()
  .max(200)
  .regex(
    /^arn:aws[a-z-]*:iam::\d{12}:role\/backupd-storage-[\w+=,.@-]{1,48}$/,
    "must be the ARN of a role whose name begins with backupd-storage-",
  );
const Endpoint = z
  .url({ protocol: /^https?$/ })
  .max(300)
  .refine((url) => isBare(url), "must be scheme, host and port only: no path, query, user or password");
const AccessKeyId = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x21-\x7e]+$/, "must not have spaces");
const Secret = z
  .string()
  .min(8)
  .max(256)
  .regex(/^[\x21-\x7e]+$/, "must not have spaces")
  .meta({ writeOnly: true });

function isBare(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { pathname, search, hash, username, password } = new URL(text);
  return pathname === "/" && `${search}${hash}${username}${password}` === "";
}

/** A bucket on AWS, of any region and account, that a role gives access to. */
export const CreateAwsProvider = z.strictObject({
  kind: z.literal("aws"),
  name: Label,
  region: Region,
  bucket: Bucket,
  role_arn: RoleArn,
});

/** Anything that speaks S3 with static keys: R2, B2, Wasabi, MinIO … */
export const CreateS3Provider = z.strictObject({
  kind: z.literal("s3"),
  name: Label,
  endpoint: Endpoint,
  region: Region.default("us-east-1"),
  bucket: Bucket,
  force_path_style: z
    .boolean()
    .default(true)
    .describe("The bucket in the path instead of in the host's name"),
  access_key_id: AccessKeyId,
  secret_access_key: Secret,
});

export const CreateProvider = z.discriminatedUnion("kind", [CreateAwsProvider, CreateS3Provider]);
export type CreateProvider = z.infer<typeof CreateProvider>;

/** The bucket stays: archives do not move with it. A field that the provider's kind does not have is refused. */
export const PatchProvider = z.strictObject({
  name: Label.optional(),
  region: Region.optional(),
  role_arn: RoleArn.optional(),
  endpoint: Endpoint.optional(),
  force_path_style: z.boolean().optional(),
  access_key_id: AccessKeyId.optional(),
  secret_access_key: Secret.optional(),
});
export type PatchProvider = z.infer<typeof PatchProvider>;

/** What a storage can do; false is also what a test could not find out. */
export const ProviderFeatures = z.object({
  multipart: z.boolean().describe("Large objects can be sent in parts"),
  part_copy: z.boolean().describe("What has not changed is copied inside the storage instead of sent again"),
  mixed_part_sizes: z.boolean().describe("The parts of an object may be of different sizes"),
  conditional_writes: z.boolean().describe("An object that exists is not replaced"),
  checksums: z.boolean().describe("What arrives damaged is refused"),
  ranged_reads: z.boolean().describe("One file can be restored without reading the whole archive"),
});
export type ProviderFeatures = z.infer<typeof ProviderFeatures>;

export const StorageProvider = z.object({
  id: ProviderId,
  kind: ProviderKind,
  name: Label,
  is_default: z.boolean(),
  bucket: z.string(),
  region: z.string(),
  endpoint: z.string().nullable().describe("null on AWS"),
  force_path_style: z.boolean(),
  role_arn: z.string().nullable(),
  access_key_id: z.string().nullable().describe("Its secret is never shown"),
  created_at: Timestamp.nullable(),
  tested_at: Timestamp.nullable(),
  features: ProviderFeatures.nullable().describe("As the last good test found them"),
});
export type StorageProvider = z.infer<typeof StorageProvider>;

export const StorageProviders = z.object({ items: z.array(StorageProvider) });

export const ProbeStep = z.object({
  name: z.string(),
  outcome: z.enum(["good", "missing", "failed", "skipped"]),
  /** For people. */
  text: z.string(),
});
export type ProbeStep = z.infer<typeof ProbeStep>;

export const ProviderTest = z.object({
  /** Backups can be made there, read back and deleted. */
  usable: z.boolean(),
  features: ProviderFeatures,
  steps: z.array(ProbeStep),
  /** What the features, and the kind of keys, mean for backups and their safety. */
  notes: z.array(z.string()),
  seconds: z.number().min(0),
});
export type ProviderTest = z.infer<typeof ProviderTest>;

export const ProviderPath = z.strictObject({ id: ProviderId });
